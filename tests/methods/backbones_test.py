"""Every method on every kind of trunk: a step with missing labels, what it moves."""

import numpy as np
import pytest
import tensorflow as tf

from kfer.methods import METHODS
from tests.conftest import tiny_tasks
from tests.methods import toys

# The smallest of keras.applications, by layers.
WIDTHS = {"vgg16": 0.125, "compact_xs": 0.25, "mobilenet": 1.0}
ORDERS = {
    "kfer": "discriminator_first",
    "paper": "generator_first",
}
QUICK = {
    ("vgg_all", "compact_xs", "kfer"),
    ("em", "compact_xs", "kfer"),
    ("co_teaching", "compact_xs", "kfer"),
    ("air", "compact_xs", "kfer"),
    ("without_gx", "compact_xs", "paper"),
}
GAMES = ("joint", "without_joint", "without_marginal", "without_gx", "joint_alone")


def combinations():
    """(method, backbone, recipe); the recipe matters for the adversarial game alone."""
    for name in METHODS:
        for backbone in WIDTHS:
            for recipe in ORDERS if name in GAMES else ("kfer",):
                row = name, backbone, recipe
                yield pytest.param(
                    *row,
                    marks=() if row in QUICK else pytest.mark.slow,
                    id="-".join(row),
                )


def after_one_pass(method, batch):
    """What each encoder doesn't learn (batch norm's statistics), after one pass."""
    if method.config.method == "annot_mix":
        batch, _ = method.mixed(batch)
    for encoder in method.encoders:
        encoder(batch.image, dropout=batch.noise.dropout, training=True)
    return [v.numpy() for e in method.encoders for v in e.non_trainable_variables]


def without_gradient(method):
    """References of what may stay at the first step of the game.

    Attention has no share yet, so what it is made of has no gradient; and while no
    hinge is satisfied, the two groups' pushes on what D adds to both cancel. A
    projection alone reads no y0.
    """
    game = getattr(method, "discriminator", None)
    blind = game is not None and game.label_fit is not None and not method.use_marginals

    def stays(name):
        added = name.startswith("discriminator/") and "bias" in name
        y0 = blind and name.startswith(("encoder/mean/", "encoder/logvar/"))
        return added or y0 or "attention" in name

    return {v.ref() for v in method.trainable_variables if stays(v.name)}


def moved_by_step(method, batch, state):
    """References of what a step moves; its losses are numbers."""
    for metric in method.metrics:
        metric.reset_state()
    logs = method.train_step(batch)
    assert list(logs) == method.metric_names()
    assert all(np.isfinite(value) for value in logs.values())
    return state.changed()


@pytest.mark.parametrize("name, backbone, recipe", combinations())
def test_a_step_moves_what_learns_and_statistics_once(
    tiny_config, make_method, make_batch, snapshot, name, backbone, recipe
):
    fields = {"recipe": recipe, "backbone": backbone, "width": WIDTHS[backbone]}
    if name in GAMES:
        fields["tasks"] = tiny_tasks()
    run = toys.mixed_config(tiny_config, name, **fields)
    method = make_method(run)
    assert run.recipe.update_order == ORDERS[recipe]
    missing = {run.tasks[0].name: (0, 5), run.tasks[-1].name: (1, 2, 7)}
    batch = tf.nest.map_structure(tf.constant, make_batch(run, missing=missing))
    state = snapshot(method)
    once = after_one_pass(method, batch)
    heads = {
        v.ref()
        for encoder in method.encoders
        for head in (encoder.mean_layer, encoder.logvar_layer)
        for v in head.trainable_variables
    }
    learned = {v.ref() for e in method.encoders for v in e.trainable_variables}
    phases = {False: state.trained if method.has_warmup else state.trained - heads}
    if method.has_warmup:
        phases[True] = learned - heads
    for warmup, expected in phases.items():
        state.restore()
        method.set_phase(warmup)
        moved = moved_by_step(method, batch, state)
        assert moved <= expected and expected - moved <= without_gradient(method)
        found = [v for e in method.encoders for v in e.non_trainable_variables]
        assert len(found) == len(once)
        for variable, value in zip(found, once, strict=True):
            np.testing.assert_allclose(
                variable, value, rtol=1e-4, atol=1e-6, err_msg=variable.name
            )
