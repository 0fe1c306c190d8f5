import dataclasses
import itertools
import os

import cv2
import numpy as np
import pytest
import tensorflow as tf

from kfer import tasks
from kfer.data import dataset as dataset_lib
from kfer.data import input_pipeline, record, storage
from kfer.data.record import Record
from kfer.errors import UserError
from tests.data import prepared

STREAMED = {"memory_budget": 0}
BUDGETS = [pytest.param({}, id="memory"), pytest.param(STREAMED, id="streamed")]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """22 training examples in three shards: five batches of 4, 2 left over."""
    return prepared.write(tmp_path_factory.mktemp("pipeline") / "set", num_train=22)


def first(dataset, count: int, config=None, **fields):
    config = config or prepared.small_config()
    batches = input_pipeline.train_dataset(dataset, config, **fields)
    return list(itertools.islice(batches.as_numpy_iterator(), count))


def assert_same(one, other):
    tf.nest.map_structure(np.testing.assert_array_equal, one, other)


def indices(batches) -> list[int]:
    return np.concatenate([batch.index for batch in batches]).tolist()


@pytest.mark.parametrize("budget", BUDGETS)
def test_batches_hold_what_the_records_say(small, budget):
    plain = prepared.small_config(augmentation="none")
    for batch in first(small, 5, plain, **budget):
        for row, index in enumerate(batch.index):
            stored = prepared.make_record(int(index))
            expected = prepared.pixels_of(stored.image) / 127.5 - 1
            np.testing.assert_allclose(batch.image[row], expected, atol=1e-6)
            for name in ("annotator_1", "annotator_2"):
                assert batch.labels[name][row] == stored.labels.get(name, 0)
                assert batch.mask[name][row] == (name in stored.labels)
            valence = batch.labels["valence_arousal"][row]
            np.testing.assert_array_equal(valence, stored.labels["valence_arousal"])
    assert batch.image.dtype == np.float32
    assert batch.index.dtype == np.int64
    assert batch.labels["annotator_1"].dtype == np.int32


@pytest.mark.parametrize("budget", BUDGETS)
def test_an_epoch_has_every_example_once_in_an_order_of_its_own(small, budget):
    batches = first(small, 15, **budget)
    epochs = [indices(batches[start : start + 5]) for start in (0, 5, 10)]
    for order in epochs:
        assert len(set(order)) == len(order) == 20
        assert set(order) <= set(range(22))
    assert len({tuple(order) for order in epochs}) == 3
    assert sorted(epochs[0]) != epochs[0]
    # The two left over are not the same in every epoch.
    assert len({frozenset(order) for order in epochs}) > 1


ALL_OPTIONS = {
    "mirror": "alternating",
    "crop_pad": 2,
    "crop_fill": "reflect",
    "cutout": 4,
    "mixup": 0.5,
}


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("kind, options", (("face", {}), ("crop_flip", ALL_OPTIONS)))
def test_resuming_repeats_the_uninterrupted_run_bit_for_bit(
    small, budget, monkeypatch, kind, options
):
    monkeypatch.setattr(storage, "SHUFFLE_WINDOW", 9)
    face = prepared.small_config(augmentation=kind, **options)
    whole = first(small, 13, face, **budget)
    for start in (1, 5, 8):  # five steps make an epoch
        resumed = first(small, 4, face, start_step=start, **budget)
        assert_same(resumed, whole[start : start + 4])


def test_mixed_batches_hold_probabilities_and_whole_pairs(small):
    plain = prepared.small_config(augmentation="none")
    mixed = prepared.small_config(augmentation="none", mixup=1.0)
    before, after = (first(small, 1, config)[0] for config in (plain, mixed))
    np.testing.assert_array_equal(before.index, after.index)
    labels, mask = after.labels["annotator_1"], after.mask["annotator_1"]
    assert labels.dtype == np.float32 and labels.shape[1] > 1
    np.testing.assert_allclose(labels.sum(1), mask > 0, atol=1e-5)
    # A row is a mean of itself and its neighbour: the same for every pixel.
    one, other = before.image[0].ravel(), before.image[1].ravel()
    differ = np.abs(one - other) > 0.5
    shares = (after.image[0].ravel() - other)[differ] / (one - other)[differ]
    assert 0 < shares.mean() < 1 and np.ptp(shares) < 1e-4


def test_the_seed_decides_order_augmentation_and_noise(small):
    one, again = first(small, 1)[0], first(small, 1)[0]
    assert_same(one, again)
    other = first(small, 1, prepared.small_config(seed=1))[0]
    assert one.index.tolist() != other.index.tolist()
    for field in ("y0_encoder", "y0_decoder", "dropout"):
        assert not np.array_equal(
            getattr(one.noise, field), getattr(other.noise, field)
        )
    # A seed wider than 31 bits is fine.
    first(small, 1, prepared.small_config(seed=2**40 + 1))


@pytest.mark.parametrize("budget", BUDGETS)
def test_the_global_seed_changes_nothing(small, budget):
    before = first(small, 2, **budget)
    tf.random.set_seed(5)
    assert_same(first(small, 2, **budget), before)


def test_windows_are_shuffled_one_by_one(small, monkeypatch):
    # Windows of 9 hold two batches of 4 each; shards are of 8, 8 and 6 records.
    monkeypatch.setattr(storage, "SHUFFLE_WINDOW", 9)
    monkeypatch.setattr(storage, "SHARDS_AT_ONCE", 1)
    batches = first(small, 10, **STREAMED)
    orders = []
    for start in (0, 5):
        first_window = indices(batches[start : start + 2])
        shard = min(first_window) // 8 * 8
        # The first window is the first shard that was read, if that is one of 8.
        if shard < 16:
            assert sorted(first_window) == list(range(shard, shard + 8))
            assert first_window != sorted(first_window)
        assert len(set(indices(batches[start : start + 5]))) == 20
        orders.append(first_window)
    assert orders[0] != orders[1]


def test_augmentation_differs_by_step_and_keeps_labels(small):
    crop = prepared.small_config(shuffle=False, batch_size=2)
    batches = first(small, 12, crop)
    # 11 steps an epoch: elements 0 and 11 hold the same two examples.
    assert_same(
        (batches[0].index, batches[0].labels), (batches[11].index, batches[11].labels)
    )
    assert not np.array_equal(batches[0].image, batches[11].image)
    assert batches[0].index.tolist() == [0, 1]


def test_crop_and_mirror_only_move_pixels(small):
    (batch,) = first(small, 1, prepared.small_config(batch_size=20))
    for image, index in zip(batch.image, batch.index):
        picture = prepared.pixels_of(prepared.png(int(index))) / 127.5 - 1
        padded = np.pad(picture, ((4, 4), (4, 4), (0, 0)), constant_values=-1.0)
        crops = [
            source[y : y + 32, x : x + 32]
            for source in (padded, padded[:, ::-1])
            for y in range(9)
            for x in range(9)
        ]
        assert min(np.abs(crop - image).max() for crop in crops) < 1e-6


def test_unshuffled_order_is_the_stored_one(small):
    for budget in ({}, STREAMED):
        batches = first(small, 6, prepared.small_config(shuffle=False), **budget)
        assert indices(batches) == [*range(20), *range(4)]


@pytest.mark.parametrize("budget", BUDGETS)
def test_workers_make_slices_of_the_single_workers_batch(small, budget):
    face = prepared.small_config(augmentation="face")
    whole = first(small, 3, face, **budget)
    parts = [
        first(
            small,
            3,
            face,
            input_context=tf.distribute.InputContext(2, pipeline, 2),
            **budget,
        )
        for pipeline in range(2)
    ]
    for step in range(3):
        halves = [part[step] for part in parts]
        assert halves[0].image.shape == (2, 32, 32, 3)
        joined = tf.nest.map_structure(lambda *x: np.concatenate(x), *halves)
        assert_same(joined, whole[step])


def test_replicas_of_a_worker_get_their_rows_in_turn(small):
    whole = first(small, 2)
    context = tf.distribute.InputContext(1, 0, 2)
    turns = first(small, 4, input_context=context)
    for step in range(2):
        halves = turns[2 * step : 2 * step + 2]
        joined = tf.nest.map_structure(lambda *x: np.concatenate(x), *halves)
        assert_same(joined, whole[step])


def test_a_strategy_may_take_the_pipeline_either_way(small):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    config, whole = prepared.small_config(), first(small, 2)

    def make(context=None):
        return input_pipeline.train_dataset(small, config, input_context=context)

    for distributed in (
        strategy.experimental_distribute_dataset(make()),
        strategy.distribute_datasets_from_function(make),
    ):
        for step, batch in zip(range(2), distributed):
            parts = map(strategy.experimental_local_results, tf.nest.flatten(batch))
            joined = [np.concatenate([part.numpy() for part in both]) for both in parts]
            assert_same(joined, tf.nest.flatten(whole[step]))


def test_noise_has_the_sizes_and_moments_of_its_kind(small):
    wide = prepared.small_config(batch_size=20, noise_size=100, embedding_size=512)
    one, two = first(small, 2, wide)
    # Width 0.25 makes 128 of 512 units; two dropout layers.
    assert one.noise.dropout.shape == (20, 256)
    assert one.noise.dropout.min() >= 0.0 and one.noise.dropout.max() < 1.0
    assert abs(one.noise.dropout.mean() - 0.5) < 0.03
    for noise in (one.noise.y0_encoder, one.noise.y0_decoder):
        assert noise.shape == (20, 100)
        # 2,000 draws: standard errors 0.022 of the mean, 0.016 of the deviation.
        assert abs(noise.mean()) < 0.11 and abs(noise.std() - 1.0) < 0.08
    drawn = [one.noise.y0_encoder, one.noise.y0_decoder, two.noise.y0_encoder]
    for a, b in itertools.combinations(drawn, 2):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.12


def test_a_task_may_learn_the_truth(small):
    clean = tasks.annotator_tasks(1, prepared.CLASSES, "class", column="clean/class")
    (batch,) = first(small, 1, prepared.small_config(tasks=clean))
    np.testing.assert_array_equal(batch.labels["annotator_1"], batch.index % 10)


def test_evaluation_has_every_example_and_the_truth(small):
    batches = list(
        input_pipeline.eval_batches(
            small, prepared.small_config(), batch_size=4
        ).as_numpy_iterator()
    )
    assert [len(image) for image, _, _ in batches] == [4, 2]
    images = np.concatenate([image for image, _, _ in batches])
    for index, image in enumerate(images):
        expected = prepared.pixels_of(prepared.png(index)) / 127.5 - 1
        np.testing.assert_allclose(image, expected, atol=1e-6)
    targets = np.concatenate([targets["class"] for _, targets, _ in batches])
    np.testing.assert_array_equal(targets, range(6))
    assert all(list(targets) == ["class"] for _, targets, _ in batches)
    assert all(mask["class"].all() for _, _, mask in batches)


def test_channels_are_turned_for_bgr(small):
    bgr = prepared.small_config(
        channel_order="bgr",
        augmentation="none",
    )
    rgb = prepared.small_config(augmentation="none")
    assert_same(first(small, 1, bgr)[0].image, first(small, 1, rgb)[0].image[..., ::-1])
    turned = next(iter(input_pipeline.eval_batches(small, bgr)))[0]
    plain = next(iter(input_pipeline.eval_batches(small, rgb)))[0]
    assert_same(turned, plain[..., ::-1])


def one_picture(path, image: bytes, size: int, image_format: str = "png"):
    item = Record("a", image, {"annotator_1": 1}, {"class": 1})
    return dataset_lib.write(
        str(path),
        "one",
        {"train": [item], "test": [item._replace(image_id="b")]},
        prepared.COLUMNS,
        prepared.CLEAN,
        image_size=size,
        image_format=image_format,
    )


def only_image(dataset, image_size: int) -> np.ndarray:
    annotator = tasks.annotator_tasks(1, prepared.CLASSES, "class")
    plain = prepared.small_config(
        tasks=annotator, batch_size=1, augmentation="none", image_size=image_size
    )
    (batch,) = first(dataset, 1, plain)
    (evaluated, _, _) = next(iter(input_pipeline.eval_batches(dataset, plain)))
    np.testing.assert_array_equal(batch.image, evaluated)
    return (batch.image[0] + 1) * 127.5


@pytest.mark.parametrize("declared", [128, 0])
def test_pictures_of_another_size_are_resized_with_antialiasing(tmp_path, declared):
    # Every fourth column is white: a quarter of the light falls on every pixel inside.
    # Without antialiasing each would be read between two black columns.
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[:, ::4] = 255
    encoded = cv2.imencode(".png", picture)[1].tobytes()
    got = only_image(one_picture(tmp_path / "set", encoded, declared), 32)
    assert got.shape == (32, 32, 3)
    np.testing.assert_allclose(got[:, 1:-1], 255 / 4, atol=1e-3)


def test_jpegs_are_decoded_as_elsewhere(tmp_path):
    ramp = np.add.outer(np.arange(32), 2 * np.arange(32)).astype(np.uint8)
    picture = np.stack([ramp, ramp[::-1], ramp.T], -1)
    encoded = cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes()
    got = only_image(one_picture(tmp_path / "set", encoded, 32, "jpeg"), 32)
    expected = tf.io.decode_image(encoded, channels=3).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-3)
    np.testing.assert_allclose(got, prepared.pixels_of(encoded), atol=4)


def test_batches_have_static_shapes(small):
    spec = input_pipeline.train_dataset(small, prepared.small_config()).element_spec
    assert spec.image.shape == [4, 32, 32, 3]
    assert spec.labels["valence_arousal"].shape == [4, 2]
    assert spec.noise.y0_decoder.shape == [4, 100]
    spec = input_pipeline.eval_batches(small, prepared.small_config()).element_spec
    assert spec[0].shape.as_list() == [None, 32, 32, 3]


def test_steps_per_epoch_drops_the_remainder(small):
    def steps(batch_size):
        return input_pipeline.steps_per_epoch(
            small, prepared.small_config(batch_size=batch_size)
        )

    assert (steps(4), steps(22)) == (5, 1)
    with pytest.raises(UserError, match=r"batch_size 23 is more than the 22 examples"):
        steps(23)


def test_batch_size_must_be_divisible(small):
    context = tf.distribute.InputContext(3, 0, 3)
    with pytest.raises(UserError, match=r"batch_size 4 is not a multiple of the 3 rep"):
        first(small, 1, input_context=context)


def test_changed_shards_are_refused_before_training(tmp_path):
    dataset = prepared.write(tmp_path / "set")
    with open(dataset.files("train")[0], "r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"?")
    with pytest.raises(UserError, match=r"00000-of-00003.tfrecord has changed since"):
        first(dataset, 1)
    with pytest.raises(UserError, match=r"00000-of-00003.tfrecord has changed since"):
        first(dataset, 1, start_step=1)


def test_labels_out_of_range_are_refused(tmp_path):
    dataset = prepared.write(tmp_path / "set")
    # A data set whose manifest was made for fewer classes than its records use.
    fewer = {
        name: record.categorical(name, prepared.CLASSES[:5])
        for name in ("annotator_1", "annotator_2")
    }
    dataset = dataclasses.replace(dataset, columns={**dataset.columns, **fewer})
    five = tasks.annotator_tasks(2, prepared.CLASSES[:5], "class")
    with pytest.raises(UserError, match=r"label/annotator_1 has a class outside 0..4"):
        first(dataset, 1, prepared.small_config(tasks=five))


def test_pictures_alone_need_no_truth(small):
    config = prepared.small_config(augmentation="crop_flip")
    batches = list(input_pipeline.image_batches(small, config, "train", 9))
    assert [len(batch) for batch in batches] == [9, 9, 4]
    for index, image in enumerate(np.concatenate(batches)):
        expected = prepared.pixels_of(prepared.png(index)) / 127.5 - 1
        np.testing.assert_allclose(image, expected, atol=1e-6)


@pytest.fixture(scope="module")
def voted(tmp_path_factory):
    """Eight pictures with votes, the last without one, and two to test on."""
    column = record.votes("votes", prepared.CLASSES[:3], "class")
    rows = [(float(i), 1.0, 2.0) for i in range(7)] + [(0.0, 0.0, 0.0)]
    splits = {
        split: [
            Record(f"{split}-{i}", prepared.png(i), {"votes": row}, {})
            for i, row in enumerate(rows[:count])
        ]
        for split, count in (("train", 8), ("test", 2))
    }
    path = str(tmp_path_factory.mktemp("voted") / "set")
    return dataset_lib.write(
        path, "voted", splits, {"votes": column}, {}, image_size=32
    )


def votes_config(**fields):
    task = tasks.LabelTask(
        "votes", "categorical", prepared.CLASSES[:3], target="class", column="votes"
    )
    fields = {"batch_size": 8, "augmentation": "none", **fields}
    return prepared.small_config(tasks=(task,), **fields)


@pytest.mark.parametrize("budget", BUDGETS)
def test_votes_are_soft_labels(voted, budget):
    (batch,) = first(voted, 1, votes_config(), **budget)
    soft, mask = batch.labels["votes"], batch.mask["votes"]
    for row, index in enumerate(batch.index):
        shares = np.array([index, 1.0, 2.0]) / (index + 3.0) * (index < 7)
        np.testing.assert_allclose(soft[row], shares, rtol=1e-6)
        assert mask[row] == (index < 7)


def test_votes_are_mixed_by_their_shares(voted):
    (batch,) = first(voted, 1, votes_config(mixup=1.0))
    soft, mask = batch.labels["votes"], batch.mask["votes"]
    np.testing.assert_allclose(soft[mask > 0].sum(axis=1), 1.0, rtol=1e-6)
    # The one row without a vote leaves its neighbour's at the neighbour's share.
    assert ((mask > 0) & (mask < 1)).sum() == 2


def test_a_held_out_split_s_votes_are_compared_by_majority(voted):
    config = votes_config()
    ((_, value, mask),) = input_pipeline.eval_batches(
        voted, config, "test", against="labels"
    )
    # Votes (0, 1, 2) and (1, 1, 2).
    np.testing.assert_array_equal(value["label/votes"], [2, 2])
    np.testing.assert_array_equal(mask["label/votes"], [1.0, 1.0])
