import numpy as np
import pytest

from kfer import methods
from kfer.errors import UserError
from kfer.methods.forward_correction import matrices_of
from kfer.noise import transition
from kfer.settings.config import experiment_config
from tests.methods import annotated, toys

METHOD = "forward_correction"


def test_knows_the_matrices_and_finds_the_truth(monkeypatch):
    """A pair flipped more often than not, which cross entropy learns the wrong way."""
    features, truth = toys.clusters(600)
    matrix = transition.pair(4, 0.6, {0: 1})
    given = transition.sample(truth, matrix, np.random.default_rng(3))
    accuracy = {}
    for method, options in (
        ("vgg_all", {}),
        (METHOD, {"transition": [matrix.tolist()]}),
    ):
        toy = toys.Toy(
            monkeypatch,
            method,
            features,
            {"annotator_1": given},
            toys.class_tasks(1),
            **options,
        )
        toy.train(200)
        accuracy[method] = toy.accuracy(*toys.clusters(1000, seed=3))
    print(accuracy)
    assert accuracy["vgg_all"] < 0.85
    assert accuracy[METHOD] > 0.97


def test_several_label_sets_and_missing_labels(monkeypatch):
    _, _, matrices = annotated.problem()
    given = [matrix.tolist() for matrix in matrices.values()]
    toy, _ = annotated.trained(monkeypatch, METHOD, steps=150, transition=given)
    assert toy.accuracy(*toys.clusters(1000, seed=3)) > 0.97
    for name, matrix in toy.method.transitions().items():
        np.testing.assert_allclose(matrix, matrices[name])


class TestWhereTheMatricesComeFrom:
    def test_the_rates_of_the_simulated_label_sets(self):
        found = matrices_of(experiment_config("cifar10_multi", method=METHOD))
        for name, rate in zip(("annotator_1", "annotator_2", "annotator_3"), (2, 3, 4)):
            expected = transition.symmetric(10, rate / 10)
            np.testing.assert_allclose(found[name], expected)

    def test_inclusive_flips_err_less_than_asked(self):
        run = experiment_config("cifar10_multi", method=METHOD, flip="inclusive")
        found = matrices_of(run)["annotator_1"]
        np.testing.assert_allclose(found, transition.symmetric(10, 0.18))

    def test_given_rates(self):
        run = experiment_config("raf_multi", method=METHOD, noise_rates=[0.3])
        np.testing.assert_allclose(
            matrices_of(run)["expression"], transition.symmetric(7, 0.3)
        )

    @pytest.mark.parametrize(
        "name, options, message",
        [
            ("raf_multi", {}, "knows no noise rate of 'expression': set noise_rates"),
            ("cifar10n_multi", {}, "knows no noise rate of 'annotator_1'"),
            ("raf_multi", {"noise_rates": [0.1, 0.2]}, r"got 2 .* for 1 .*expression"),
            ("raf_multi", {"noise_rates": [1.2]}, "Noise rate 1.2 is not in"),
            ("raf_multi", {"noise_rates": ["high"]}, "Noise rate 'high' is not in"),
            ("raf_multi", {"transition": [[[1.0]]]}, "is square"),
            ("raf_multi", {"transition": [[[1, 0], [0, 1]]]}, "2 classes, expected 7"),
            ("raf_multi", {"transition": [[[1, 0], [1]]]}, "'expression' is no matrix"),
        ],
    )
    def test_wrong_or_missing(self, name, options, message):
        run = experiment_config(name, method=METHOD, width=0.125, **options)
        with pytest.raises(UserError, match=message) as error:
            methods.build(run)
        assert "\n" not in str(error.value)
