"""Whole training steps of the joint method."""

import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import adversarial

MISSING = {"annotator_1": (1, 4, 5), "valence_arousal": (0, 4)}


def tensors(batch):
    return tf.nest.map_structure(tf.convert_to_tensor, batch)


@pytest.fixture(scope="module")
def stepper(shared_joint, tiny_config, make_batch):
    """Runs one step of the tiny joint method from its start, each kind once.

    Returns (logs, variable reference -> value after the step).
    """
    method, state = shared_joint
    found = {}

    def run(batch, rates):
        state.restore()
        for metric in method.metrics:
            metric.reset_state()
        method.generator_optimizer.learning_rate.assign(rates[0])
        method.discriminator_optimizer.learning_rate.assign(rates[1])
        logs = {k: float(v) for k, v in method.train_step(tensors(batch)).items()}
        return logs, state.values()

    def step(order="discriminator_first", rates=(1e-4, 1e-4), batch=None, **fields):
        key = (order, rates, tuple(fields.items()))
        if batch is None and key in found:
            return found[key]
        fields = {"discriminator_steps": 1, **fields}
        method.config = tiny_config(update_order=order, **fields)
        default = make_batch(method.config, missing=MISSING)
        result = run(default if batch is None else batch, rates)
        method.config = tiny_config()
        state.restore()
        if batch is None:
            found[key] = result
        return result

    return step


def trained(method):
    generator = {v.ref() for v in method.generator_variables}
    return generator, {v.ref() for v in method.discriminator.trainable_variables}


def changed(state, values, refs):
    return {ref for ref in refs if not np.array_equal(values[ref], state.start[ref])}


def assert_same(first, second, refs=None):
    for ref in first if refs is None else refs:
        np.testing.assert_array_equal(first[ref], second[ref])


ORDERS = ("discriminator_first", "generator_first")


class TestTrainStep:
    @pytest.mark.parametrize("order", ORDERS)
    def test_all_nets_train_and_all_is_finite(self, stepper, shared_joint, order):
        method, state = shared_joint
        logs, values = stepper(order)
        generator, discriminator = trained(method)
        assert changed(state, values, generator) == generator
        # Attention's kernels have no gradient while its gain is 0, nor have biases that
        # both groups' scores share while all scores are inside the hinge.
        idle = ("attention/theta", "attention/phi", "attention/g/", "attention/o")
        still = {
            state.variables[ref].name
            for ref in discriminator - changed(state, values, discriminator)
        }
        assert all(n.endswith("bias:0") or any(i in n for i in idle) for n in still)
        assert all(np.all(np.isfinite(v)) for v in values.values())
        assert set(logs) == set(method.metric_names())
        gan = method.config.lambda_gan * logs["gan_loss"]
        labels = logs["annotator_1/cross_entropy"] + logs["valence_arousal/ccc"]
        assert logs["loss"] == pytest.approx(labels + gan, rel=1e-5)

    @pytest.mark.parametrize("order", ORDERS)
    def test_the_discriminator_step_changes_only_d(self, stepper, shared_joint, order):
        method, state = shared_joint
        _, values = stepper(order, (0.0, 1e-4))
        generator, discriminator = trained(method)
        assert not changed(state, values, generator)
        assert changed(state, values, discriminator)

    @pytest.mark.parametrize("order", ORDERS)
    def test_the_generator_step_leaves_d(self, stepper, shared_joint, order):
        method, state = shared_joint
        _, values = stepper(order, (1e-4, 0.0))
        generator, discriminator = trained(method)
        assert changed(state, values, generator) == generator
        assert not changed(state, values, discriminator)

    def test_discriminator_first_scores_the_old_outputs(self, stepper, shared_joint):
        generator, discriminator = trained(shared_joint[0])
        _, both = stepper("discriminator_first")
        assert_same(both, stepper("discriminator_first", (0.0, 1e-4))[1], discriminator)
        # while the generator step sees the updated D
        alone = stepper("discriminator_first", (1e-4, 0.0))[1]
        assert any(not np.array_equal(both[r], alone[r]) for r in generator)

    def test_generator_first_scores_fresh_outputs(self, stepper, shared_joint):
        generator, discriminator = trained(shared_joint[0])
        _, both = stepper("generator_first")
        assert_same(both, stepper("generator_first", (1e-4, 0.0))[1], generator)
        alone = stepper("generator_first", (0.0, 1e-4))[1]
        assert any(not np.array_equal(both[r], alone[r]) for r in discriminator)

    @pytest.mark.parametrize("steps", (1, 2))
    def test_discriminator_steps(self, stepper, shared_joint, steps):
        method, _ = shared_joint
        _, values = stepper(discriminator_steps=steps)
        assert values[method.discriminator_optimizer.iterations.ref()] == steps
        assert values[method.generator_optimizer.iterations.ref()] == 1

    def test_d_gains_on_the_batch_it_saw(self, stepper):
        # The second of two steps on the same outputs starts below the first.
        first, second = (stepper(discriminator_steps=n)[0] for n in (1, 2))
        assert second["discriminator_loss"] < first["discriminator_loss"]

    def test_a_step_is_a_function_of_state_and_batch(
        self, stepper, make_batch, tiny_config
    ):
        logs, values = stepper()
        again = stepper(batch=make_batch(tiny_config(), missing=MISSING))
        assert again[0] == logs
        assert_same(values, again[1])

    def test_masked_labels_say_nothing(self, stepper, make_batch, tiny_config):
        batch = make_batch(tiny_config(), missing=MISSING)
        labels = {name: value.copy() for name, value in batch.labels.items()}
        labels["annotator_1"][[1, 4, 5]] = 2
        labels["valence_arousal"][[0, 4]] = 0.7
        logs, values = stepper(batch=batch._replace(labels=labels))
        assert logs == stepper()[0]
        assert_same(values, stepper()[1])

    def test_a_batch_without_any_label(self, stepper, make_batch, tiny_config):
        missing = {name: range(8) for name in MISSING}
        logs, values = stepper(batch=make_batch(tiny_config(), missing=missing))
        assert all(map(np.isfinite, logs.values()))
        assert all(np.all(np.isfinite(v)) for v in values.values())
        assert logs["annotator_1/cross_entropy"] == 0.0
        assert logs["valence_arousal/ccc"] == 0.0  # a mean over nothing

    def test_a_batch_of_one(self, stepper, make_batch, tiny_config):
        logs, values = stepper(batch=make_batch(tiny_config(), 1))
        assert all(map(np.isfinite, logs.values()))
        assert all(np.all(np.isfinite(v)) for v in values.values())

    def test_the_generator_step_moves_the_scores(
        self, stepper, shared_joint, make_batch, tiny_config
    ):
        """The encoder lowers its own scores, the decoder raises its own."""
        method, state = shared_joint
        batch = make_batch(tiny_config(), missing=MISSING)

        def mean_scores():
            groups = method.forward(tensors(batch))[1]
            pair = method.discriminator(groups)
            result = [
                float(method.reduce_scores(s, batch, adversarial.generator_encoder))
                for s in pair
            ]
            state.restore()
            return result

        before = mean_scores()
        _, values = stepper(rates=(1e-4, 0.0), lambda_gan=1e4)
        for ref in trained(method)[0]:
            state.variables[ref].assign(values[ref])
        after = mean_scores()
        assert after[0] < before[0]
        assert after[1] > before[1]


class TestWarmup:
    def test_only_the_encoder_changes(self, joint, shared_joint, make_batch):
        joint.set_phase(True)
        logs = joint.train_step(tensors(make_batch(joint.config)))
        encoder = joint.encoder
        y0 = [*encoder.mean_layer.variables, *encoder.logvar_layer.variables]
        expected = {v.ref() for v in encoder.trainable_variables}
        expected -= {v.ref() for v in y0}
        state = shared_joint[1]
        assert state.changed() == expected
        # neither batch norm's statistics nor a power iteration moves
        rest = [*joint.decoder.variables, *joint.discriminator.variables]
        assert not {v.ref() for v in rest} & state.changed(trained_only=False)
        assert joint.discriminator_optimizer.iterations.numpy() == 0
        assert float(logs["gan_loss"]) == float(logs["discriminator_loss"]) == 0.0

    def test_equals_the_supervised_step(
        self, joint, make_batch, make_method, tiny_config
    ):
        vgg = make_method(tiny_config(method="vgg_all"))
        for variable, twin in zip(vgg.encoder.variables, joint.encoder.variables):
            variable.assign(twin)
        batch = tensors(make_batch(joint.config, missing=MISSING))
        joint.set_phase(True)
        for metric in joint.metrics:
            metric.reset_state()
        logs = vgg.train_step(batch)
        assert float(joint.train_step(batch)["loss"]) == float(logs["loss"])
        for variable, twin in zip(vgg.encoder.variables, joint.encoder.variables):
            np.testing.assert_array_equal(variable, twin)
