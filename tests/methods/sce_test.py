import numpy as np
import pytest

from tests.methods import overfit, toys


def test_the_loss_is_the_options_(monkeypatch):
    features, truth = toys.clusters(16)
    labels, rows = {"annotator_1": truth}, toys.class_tasks(1)
    parts = {}
    for alpha, beta, a in ((1.0, 0.0, -2.0), (0.0, 1.0, -2.0), (0.3, 2.0, -4.0)):
        toy = toys.Toy(
            monkeypatch, "sce", features, labels, rows, alpha=alpha, beta=beta, A=a
        )
        parts[alpha, beta] = toy.train(1)
    plain = parts[1.0, 0.0]["loss"]
    assert plain == pytest.approx(parts[1.0, 0.0]["annotator_1/cross_entropy"])
    # the reverse cross entropy is proportional to A
    mixed = 0.3 * plain + 2.0 * 2.0 * parts[0.0, 1.0]["loss"]
    assert parts[0.3, 2.0]["loss"] == pytest.approx(mixed, rel=1e-5)
    # what is logged for the task is plain cross entropy whatever is minimised
    assert parts[0.0, 1.0]["annotator_1/cross_entropy"] == pytest.approx(plain)


def test_missing_labels_and_values_are_as_in_vgg_all(monkeypatch):
    features, truth = toys.clusters(16)
    values = features[:, :2] / 4
    rows = (*toys.class_tasks(2), *toys.value_tasks(1))
    missing = np.where(np.arange(16) < 8, -1, truth)
    labels = {"annotator_1": truth, "annotator_2": missing, "values_1": values}
    logs = {
        method: toys.Toy(monkeypatch, method, features, labels, rows, **options).train(
            1
        )
        for method, options in (("vgg_all", {}), ("sce", {"alpha": 1.0, "beta": 0.0}))
    }
    assert logs["sce"] == pytest.approx(logs["vgg_all"], rel=1e-5)


def test_beats_cross_entropy_where_labels_are_learned_by_heart(monkeypatch):
    plain, plain_logs = overfit.of_cross_entropy()
    assert plain_logs["annotator_1/accuracy"] > 0.95  # it did
    found, logs = overfit.clean_accuracy(monkeypatch, "sce", alpha=0.003)
    print(f"clean accuracy {found:.3f}, cross entropy's {plain:.3f}")
    assert found > plain + 0.1
    assert logs["annotator_1/accuracy"] < 0.8
