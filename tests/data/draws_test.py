import types

import numpy as np
import pytest
import tensorflow as tf

from kfer.data import draws
from kfer.errors import UserError
from tests.data import prepared

WHOLE = draws.Share(0, 8, 8, 1)


def config(**fields):
    return prepared.small_config(batch_size=8, **fields)


def context(pipeline, pipelines, replicas):
    return types.SimpleNamespace(
        num_input_pipelines=pipelines,
        num_replicas_in_sync=replicas,
        input_pipeline_id=pipeline,
    )


class TestShare:
    def test_a_pipeline_s_rows(self):
        share = draws.share_of(context(1, 2, 4), config())
        assert share == draws.Share(4, 8, 8, 2)
        assert share.of(tf.range(8)).numpy().tolist() == [4, 5, 6, 7]
        assert draws.share_of(None, config()) == WHOLE

    def test_replicas_that_do_not_divide_the_batch(self):
        with pytest.raises(UserError, match="8 is not a multiple of the 3 replicas"):
            draws.share_of(context(0, 1, 3), config())

    def test_pairs_need_an_even_number_for_each_replica(self):
        draws.share_of(context(0, 1, 4), config(mixup=1.0))
        with pytest.raises(UserError, match="pairs, and batch_size 8 gives each of 8"):
            draws.share_of(context(0, 1, 8), config(mixup=1.0))


class TestSides:
    def test_random_is_drawn_with_the_transforms(self):
        assert draws.Sides(20, 4, config())(tf.constant(0), tf.range(4)) is None

    def test_alternating_turns_every_picture_each_epoch(self):
        sides = draws.Sides(400, 50, config(mirror="alternating"))
        positions = tf.constant([399, 0, 17, 3, 5, 8, 13, 21], tf.int64)
        epochs = [
            [sides(tf.constant(50 * epoch + i), positions).numpy() for i in (0, 49)]
            for epoch in range(3)
        ]
        for first, last in epochs:
            np.testing.assert_array_equal(first, last)
        np.testing.assert_array_equal(epochs[0][0], ~epochs[1][0])
        np.testing.assert_array_equal(epochs[0][0], epochs[2][0])
        share = sides(tf.constant(0), tf.range(400)).numpy().mean()
        assert share == pytest.approx(0.5, abs=0.08)

    def test_the_seed_decides(self):
        one, other = (
            draws.Sides(64, 4, config(mirror="alternating", seed=seed))(0, tf.range(64))
            for seed in (0, 1)
        )
        assert not np.array_equal(one, other)


class TestAugmented:
    @pytest.mark.parametrize("kind", ("crop_flip", "face", "none"))
    def test_a_share_is_part_of_the_whole(self, kind):
        options = {"mirror": "alternating", "crop_fill": "reflect", "cutout": 8}
        run = config(augmentation=kind, crop_pad=2, **options)
        random = np.random.default_rng(0)
        shape = (8, run.image_size, run.image_size, 3)
        raw = tf.constant(random.integers(0, 256, shape).astype(np.uint8))
        step = tf.constant(3)
        sides = draws.Sides(8, 4, run)(step, tf.range(8))
        whole = draws.augmented(raw, run, step, WHOLE, sides)
        share = draws.Share(2, 5, 8, 1)
        part = draws.augmented(raw[2:5], run, step, share, sides[2:5])
        np.testing.assert_array_equal(part, whole[2:5])
        later = draws.augmented(raw, run, step + 1, WHOLE, sides)
        assert not np.array_equal(later, whole)

    @pytest.mark.parametrize(
        "fill, least", (("black", -1.0), ("reflect", 200 / 127.5 - 1))
    )
    def test_a_reflected_crop_has_no_black(self, fill, least):
        raw = tf.fill([8, 32, 32, 3], tf.constant(200, tf.uint8))
        run = config(crop_pad=3, crop_fill=fill)
        found = draws.augmented(raw, run, tf.constant(0), WHOLE, None)
        assert found.numpy().min() == pytest.approx(least)

    def test_the_crop_s_reach(self):
        """The middle pixel is found within crop_pad of where it was."""
        raw = np.zeros((8, 32, 32, 3), np.uint8)
        raw[:, 16, 16] = 255
        run, shown = config(crop_pad=2), tf.zeros([8], tf.bool)
        rows = []
        for step in range(16):
            found = draws.augmented(raw, run, tf.constant(step), WHOLE, shown)
            rows.append(np.argwhere(found.numpy()[..., 0] > 0)[:, 1:])
        shifts = np.concatenate(rows) - 16
        assert {*shifts.ravel()} == {-2, -1, 0, 1, 2}

    def test_cutout_covers_one_square(self):
        raw = tf.fill([8, 32, 32, 3], tf.constant(255, tf.uint8))
        run = config(augmentation="none", cutout=8)
        found = draws.augmented(raw, run, tf.constant(0), WHOLE, None).numpy()
        grey = (found == 0.0).all(-1).sum((1, 2))
        assert np.all((grey >= 16) & (grey <= 64)) and 64 in grey
        assert np.all(found[found != 0.0] == 1.0)


@pytest.mark.parametrize("alpha", (0.2, 1.0, 8.0))
def test_shares_of_a_mix_are_beta_distributed(alpha):
    run = prepared.small_config(batch_size=4000, mixup=alpha)
    drawn = draws.mixing(run, tf.constant(0), draws.Share(0, 4000, 4000, 1)).numpy()
    assert np.all((drawn >= 0) & (drawn <= 1))
    assert drawn.mean() == pytest.approx(0.5, abs=0.02)
    # of Beta(a, a)
    assert drawn.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)
    half = draws.mixing(run, tf.constant(0), draws.Share(1000, 3000, 4000, 1))
    np.testing.assert_array_equal(half, drawn[1000:3000])
