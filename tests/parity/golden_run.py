"""A golden file, and runs from its start or within rounding distance of it."""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kfer.losses import adversarial
from kfer.methods.joint_distribution import JointDistribution
from kfer.models import authors_layout
from kfer.training.optimizers import Adam
from tests.parity import goldens

CHANGES_AFTER = (1, 3)


def probe(name, seed, value):
    """The golden's two numbers of a parameter: L2 norm and a random projection."""
    flat = np.asarray(value, np.float64).ravel()
    direction = goldens.draw(name, seed, (flat.size,), plus=1)
    return np.linalg.norm(flat), flat @ direction / np.sqrt(flat.size)


class Training(NamedTuple):
    """What is judged of a run from one start."""

    losses: np.ndarray  # [steps, 5]
    changes: dict[int, dict[str, float]]  # step -> parameter -> norm of its change


def compile_method(config):
    method = JointDistribution(config)
    adam = functools.partial(
        Adam, config.learning_rate, config.beta_1, config.beta_2, config.epsilon
    )
    method.compile(adam(), adam())
    method.build_all()
    return method


class Run:
    """A golden file and all that is compared with it, computed once.

    Start 0 is the golden's own. Starts 1, 2, ... are moved by rounding: the encoder's
    weights by 3e-7 of themselves, or all nets' by 1e-6 (outputs may differ by 1e-4).
    """

    def __init__(self, path):
        with np.load(path) as stored:
            self.golden = {name: stored[name] for name in stored.files}
        self.config = goldens.config_of(self.golden)
        self.method = compile_method(self.config)
        self.weights = goldens.weights_of(self.golden, self.config.seed)
        authors_layout.assign(self.method, self.weights)
        gradients, self.values = self._first_pass()
        self._gradients, self._trainings = {0: gradients}, {}
        self.step = tf.function(self.method.train_step)

    def batch(self, step):
        batch = goldens.batch_of(self.golden, step, self.config)
        return tf.nest.map_structure(tf.convert_to_tensor, batch)

    def _first_pass(self):
        method, batch = self.method, self.batch(0)
        generator = method.generator_variables
        discriminator = method.discriminator.trainable_variables
        with tf.GradientTape(persistent=True) as tape:
            output, groups = method.forward(batch)
            scores = method.discriminator(groups)
            generator_loss = method.generator_loss(batch, output, groups)
            discriminator_loss = method.discriminator_loss(groups, batch)
            gan = sum(
                method.reduce_scores(s, batch, f)
                for s, f in zip(
                    scores,
                    (adversarial.generator_encoder, adversarial.generator_decoder),
                    strict=True,
                )
            )
        gradients = {}
        for loss, variables in (
            (generator_loss, generator),
            (discriminator_loss, discriminator),
        ):
            found = tape.gradient(loss, variables)
            gradients.update({v.ref(): g.numpy() for v, g in zip(variables, found)})
        values = {
            "output": output,
            "image": groups[1].image.numpy(),
            "scores": [np.stack(list(s.by_stream.values()), 1) for s in scores],
            "gan": float(gan),
            "generator": float(generator_loss),
            "discriminator": float(discriminator_loss),
        }
        for metric in method.metrics:
            metric.reset_state()
        return gradients, values

    def gradients(self, start):
        """(Parameter, 0 or 1) -> the golden's number of its gradient, from one start."""
        if start not in self._gradients:
            self._start(start)
            self._gradients[start] = self._first_pass()[0]
        raw, found = self._gradients[start], {}
        for p in authors_layout.parameters(self.method):
            if p.trained:
                value = p.layout.to_authors([raw[v.ref()] for v in p.variables])
                norm, projection = probe(p.name, self.config.seed, value)
                found |= {(p.name, 0): norm, (p.name, 1): projection}
        return found

    def training(self, start, steps):
        """A run of so many steps from one start."""
        key = (start, steps)
        if key not in self._trainings:
            self._trainings[key] = self._train(start, steps)
        return self._trainings[key]

    def expected_change(self, step, name):
        return self.golden[f"delta_step{step}/{name}"][0]

    def _start(self, nudge):
        """Puts weights and optimizers where the golden's training began."""
        weights = dict(self.weights)
        if nudge:
            draws, size = np.random.RandomState(nudge - 1), (1e-6, 3e-7)[nudge % 2]
            for name, value in weights.items():
                if name.startswith("encoder") or nudge % 2 == 0:
                    noise = size * draws.standard_normal(value.shape)
                    weights[name] = (value * (1 + noise)).astype(np.float32)
        authors_layout.assign(self.method, weights)
        for optimizer in (
            self.method.generator_optimizer,
            self.method.discriminator_optimizer,
        ):
            moments = (*optimizer._momentums, *optimizer._velocities)
            for slot in (optimizer.iterations, optimizer.update_counts, *moments):
                slot.assign(tf.zeros_like(slot))

    def _train(self, nudge, steps):
        self._start(nudge)
        before = authors_layout.to_arrays(self.method)
        rows, changes = [], {}
        for step in range(1, 1 + steps):
            for metric in self.method.metrics:
                metric.reset_state()
            logs = {k: float(v) for k, v in self.step(self.batch(step - 1)).items()}
            rows.append(self._row(logs))
            if step in CHANGES_AFTER:
                now = authors_layout.to_arrays(self.method)
                changes[step] = {
                    name: np.linalg.norm((now[name] - before[name]).ravel())
                    for name in self.judged_parameters(step)
                }
        return Training(np.array(rows), changes)

    def judged_parameters(self, step):
        """Whose change after `step` steps is judged; the others by their gradient alone.

        Adam makes whole steps of the rounding of a gradient that is truly 0: that of
        biases before batch norm, and that of D's last biases while every hinge is
        active and the groups cancel, whose golden change is exactly 0.
        """
        names = [str(name) for name in self.golden["parameter_names"]]
        silent = [n for n in names if "deconv" in n and n.endswith("bias")]
        last = max(silent)
        silent += [n for n in names if self.expected_change(step, n) == 0]
        return [n for n in names if n not in silent or n == last]

    def gradient_size(self, key):
        """What errors of the golden's gradient `key` are judged against.

        Its norm; where that is exactly 0, a thousandth of the median norm of its net
        group, so that a thousandth of that is allowed to rounding.
        """
        norm = self.golden[key][0]
        if norm > 0:
            return max(norm, 1e-6)
        group = key.split("/")[0] + "/"
        norms = [self.golden[k][0] for k in self.golden if k.startswith(group)]
        return 1e-3 * np.median(norms)

    def _row(self, logs):
        classes = sum(v for k, v in logs.items() if k.endswith("/cross_entropy"))
        similarity = sum(v for k, v in logs.items() if k.endswith("/ccc"))
        return (
            classes,
            similarity,
            logs["gan_loss"],
            logs["loss"],
            logs["discriminator_loss"],
        )
