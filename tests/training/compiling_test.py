import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.errors import UserError
from kfer.settings.optimization import Optimization
from kfer.training import averaging, checkpoints, compiling, run_folder
from kfer.training.optimizers import SGD, Adam, Rule
from tests import runs


def test_a_run_is_restored_with_its_weights_and_step(tmp_path):
    saved, path = runs.method(runs.run_config(), seed=3), str(tmp_path / "run")
    run_folder.claim(path, runs.run_config(), runs.dataset())
    checkpoints.Checkpoints(saved, path).save(7)
    method, config, step = compiling.restored(path)
    assert (step, config) == (7, runs.run_config())
    for found, wanted in zip(method.weights, saved.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_step_without_a_checkpoint():
    with pytest.raises(UserError, match=r"has no checkpoint of step 999"):
        compiling.restored(runs.run(), 999)


def test_both_networks_get_optimizers_of_the_config():
    config = runs.config(learning_rate=0.003, beta_1=0.5)
    method = compiling.compiled(config)
    for optimizer in (method.generator_optimizer, method.discriminator_optimizer):
        assert float(optimizer.learning_rate) == pytest.approx(0.003)
        assert optimizer.beta_1 == 0.5


class TestRules:
    @pytest.fixture(scope="class")
    def rules(self):
        config = runs.config(
            method="ltnet", weight_decay=0.6, bias_rate=3.0, decay_form="decoupled"
        )
        method = compiling.compiled(config)
        names = [v.name for v in method.generator_variables]
        return dict(zip(names, method.generator_optimizer._rules, strict=True))

    def test_kernels_decay_at_the_learning_rate(self, rules):
        assert rules["encoder/conv1_1/kernel:0"] == Rule(1.0, 0.6, True)

    def test_biases_have_a_rate_of_their_own(self, rules):
        # rate times decay stays what it is for the kernels
        rule = rules["encoder/conv1_1/bias:0"]
        assert (rule.rate, rule.rate * rule.decay) == (3.0, pytest.approx(0.6))

    def test_annotators_matrices_do_not_decay(self, rules):
        assert rules["transition_annotator_1:0"] == Rule(1.0, 0.0, True)

    def test_batch_norm_s_offsets_are_biases_and_a_whitening_bias_is_not(self):
        config = runs.config(bias_rate=3.0, whitening_rate=0.5)
        rates = [
            compiling._rule(tf.Variable(0.0, name=name), config, False).rate
            for name in ("net/norm1/beta", "net/whitening/bias", "net/biases/kernel")
        ]
        assert rates == [3.0, 0.5, 1.0]


def test_the_discriminator_has_an_adam_of_its_own():
    config = runs.config(optimizer="sgd", learning_rate=0.5, discriminator_rate=1e-4)
    method = compiling.compiled(config)
    assert isinstance(method.generator_optimizer, SGD)
    assert isinstance(method.discriminator_optimizer, Adam)
    assert float(method.generator_optimizer.learning_rate) == 0.5
    rate = float(method.discriminator_optimizer.learning_rate)
    assert rate == pytest.approx(1e-4)


def test_only_what_is_timed_takes_the_number_of_steps():
    plain, timed = runs.config(), runs.config(schedule="cosine")
    assert compiling.timed(plain, 8) == plain
    assert compiling.timed(timed, 8).optimization.total_steps == 8


def test_a_restored_run_answers_with_its_averages(tmp_path):
    config = dataclasses.replace(
        runs.run_config(), optimization=Optimization(averaging="ema")
    )
    saved, path = compiling.compiled(config), str(tmp_path / "run")
    average = averaging.of(saved)
    held = {v.ref() for v in average.fast}
    assert {v.ref() for v in saved.encoder.variables} <= held
    for variable in average.slow:
        variable.assign(tf.fill(variable.shape, 0.25))
    run_folder.claim(path, config, runs.dataset())
    checkpoints.Checkpoints(saved, path).save(7)
    method, found, _ = compiling.restored(path, test_averaging="flip")
    assert all(np.all(v.numpy() == 0.25) for v in method.encoder.variables)
    assert found.optimization.test_averaging == "flip"
    assert run_folder.load_config(path).optimization.test_averaging == "none"


RECIPES = {
    "lookahead": {
        "optimizer": "sgd",
        # At 0.05 the loss grows, and rounding with it from step to step.
        "learning_rate": 1e-3,
        "weight_decay": 1e-2,
        "bias_rate": 4.0,
        "discriminator_rate": 1e-3,
        "decoder_rate": 1e-3,
        "schedule": "one_cycle",
        "label_smoothing": 0.2,
        "averaging": "lookahead",
        "lookahead_every": 2,
    },
    "ema": {
        "schedule": "cosine",
        "weight_decay": 1e-2,
        "decay_form": "decoupled",
        "averaging": "ema",
    },
}


def stepped(config, strategy, batches):
    """Weights, slow weights and losses after a step on each batch."""
    tf.keras.utils.set_random_seed(0)
    with strategy.scope():
        method = compiling.compiled(compiling.timed(config, 4))
    averaging.of(method).start()
    logs, count = [], strategy.num_replicas_in_sync
    for batch in batches:
        parts = [
            tf.nest.map_structure(
                lambda a, i=i: tf.constant(np.split(a, count)[i]), batch
            )
            for i in range(count)
        ]
        given = strategy.experimental_distribute_values_from_function(
            lambda context, p=parts: p[context.replica_id_in_sync_group]
        )
        strategy.run(method.train_step, args=(given if count > 1 else parts[0],))
        logs.append({name: float(v) for name, v in method.results().items()})
    moved = [*method.generator_variables, *method.decoder_variables]
    variables = [*moved, *averaging.of(method).slow]
    copies = [strategy.experimental_local_results(v) for v in variables]
    assert all(np.array_equal(c[0], c[-1]) for c in copies)
    return [c[0].numpy() for c in copies], logs


@pytest.mark.parametrize(
    "method, name",
    [
        ("vgg_all", "lookahead"),
        ("vgg_all", "ema"),
        ("joint", "ema"),
        pytest.param("joint", "lookahead", marks=pytest.mark.slow),
    ],
)
def test_two_replicas_learn_as_one(two_replicas, tiny_config, make_batch, method, name):
    # Adam's epsilon as in tests/methods/replicas.py: its first steps are signs else.
    fields = {"dropout_rate": 0.0, "epsilon": 1e-2, **RECIPES[name]}
    config = methods.resolve_tasks(tiny_config(method=method, **fields))
    batches = [make_batch(config, 8, seed) for seed in (0, 1, 2)]
    one, logs = stepped(config, tf.distribute.get_strategy(), batches)
    many, other_logs = stepped(config, two_replicas, batches)
    for first, second in zip(logs, other_logs, strict=True):
        assert second == pytest.approx(first, rel=1e-4, abs=1e-5)
    for first, second in zip(one, many, strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-4, atol=2e-6)
