"""Pictures and labels in memory as batches."""

import numpy as np
import pytest

from kfer import methods
from kfer.errors import UserError
from kfer.methods import batches
from tests.methods import toys

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
LABELS = {
    "annotator_1": [0, -1, 2, 1, 0],
    "valence_arousal": [[0.5, -1], [np.nan, 0], [1, 1], [0, 0], [0, 0]],
}


def test_images(tiny_config):
    run = tiny_config()
    found = batches.images(run, IMAGES)
    np.testing.assert_allclose(found, IMAGES / 127.5 - 1, atol=1e-6)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(batches.images(run, found), found)
    bgr = tiny_config(channel_order="bgr")
    np.testing.assert_array_equal(batches.images(bgr, IMAGES), found[..., ::-1])
    # floats are as `call` takes them
    np.testing.assert_array_equal(batches.images(bgr, found), found)


@pytest.mark.parametrize(
    "given, text",
    [
        (IMAGES[:, :16], r"are \[N, 32, 32, 3\] for this method, got \[5, 16, 32, 3\]"),
        (IMAGES.astype(int), "are uint8 or float, got int64"),
        (IMAGES.astype(float), r"are in \[-1, 1\], got 0 to 255"),
        (np.full((1, 32, 32, 3), np.nan), r"are in \[-1, 1\], got nan"),
    ],
)
def test_other_images(tiny_config, given, text):
    with pytest.raises(UserError, match=text):
        batches.images(tiny_config(), given)


def test_labels(tiny_config):
    values, masks = batches.labels(tiny_config(), LABELS, 5)
    assert values["annotator_1"].tolist() == [0, 0, 2, 1, 0]
    assert values["annotator_1"].dtype == np.int32
    assert masks["annotator_1"].tolist() == [1, 0, 1, 1, 1]
    assert values["valence_arousal"][:2].tolist() == [[0.5, -1], [0, 0]]
    assert masks["valence_arousal"].tolist() == [1, 0, 1, 1, 1]
    soft = np.full((5, 3), 1 / 3)
    soft[1] = np.nan
    values, masks = batches.labels(tiny_config(), {"annotator_1": soft}, 5)
    assert values["annotator_1"].dtype == np.float32
    assert masks["annotator_1"].tolist() == [1, 0, 1, 1, 1]
    assert masks["valence_arousal"].sum() == 0
    only = tiny_config(tasks=tiny_config().tasks[:1])
    assert batches.labels(only, [0, 1, 2, 0, 1], 5)[0]["annotator_1"][2] == 2


@pytest.mark.parametrize(
    "given, text",
    [
        ([0] * 5, "Labels come by task: annotator_1, valence_arousal"),
        ({"mood": [0] * 5}, "There is no task 'mood'; known: annotator_1"),
        (
            {"annotator_1": [0] * 4},
            r"annotator_1 are int \[N\] for 5 pictures, got int",
        ),
        (
            {"annotator_1": [0.5] * 5},
            r"annotator_1 are int \[N\] for 5 pictures, got fl",
        ),
        ({"annotator_1": [3] * 5}, "label of annotator_1 is outside -1..2"),
        ({"annotator_1": [-2] * 5}, "label of annotator_1 is below -1"),
        ({"annotator_1": np.full((5, 3), 2.0)}, "annotator_1 is outside 0..1"),
        ({"valence_arousal": np.full((5, 2), 2.0)}, "valence_arousal is outside -1..1"),
    ],
)
def test_other_labels(tiny_config, given, text):
    with pytest.raises(UserError, match=text):
        batches.labels(tiny_config(), given, 5)


def test_what_annotators_said(tiny_config):
    run = methods.resolve_tasks(tiny_config(method="em", tasks=toys.mixed_tasks()))
    given = {
        "annotator_1": [0, -1, 2, 1],
        "annotator_2": np.eye(3)[[1, 1, 0, 2]],
        "pain_1": [[1.0], [np.nan], [3.0], [4.0]],
        "pain_2": [[5.0], [6.0], [np.nan], [8.0]],
    }
    found = batches.said(run, run.tasks, given, 4)
    assert list(found) == ["class", "pain"]
    labels, (values,) = found["class"], found["pain"]
    said = zip(labels.annotator, labels.item, labels.label, strict=True)
    first, second = [(0, 0, 0), (0, 2, 2), (0, 3, 1)], [(1, 0, 1), (1, 1, 1)]
    assert sorted(said) == [*first, *second, (1, 2, 0), (1, 3, 2)]
    assert (labels.num_items, labels.num_annotators, labels.num_classes) == (4, 2, 3)
    assert values.value.tolist() == [1.0, 3.0, 4.0, 5.0, 6.0, 8.0]
    assert values.annotator.tolist() == [0, 0, 0, 1, 1, 1]
    assert values.item.tolist() == [0, 2, 3, 0, 1, 3]


def test_labels_in_memory_are_of_no_crowd(tiny_config):
    run = tiny_config(method="em", num_annotators=[3])
    with pytest.raises(UserError, match="was made for a crowd; train it with kfer.fit"):
        batches.said(run, run.tasks, LABELS, 5)


def test_an_epoch_of_training(tiny_config):
    run = tiny_config()
    data = batches.training(run, IMAGES, LABELS, 2)
    first, second = list(data), list(data)
    assert len(first) == 2
    for batch in (*first, *second):
        rows = batch.index.numpy()
        np.testing.assert_array_equal(batch.image, batches.images(run, IMAGES)[rows])
        expected = np.maximum(LABELS["annotator_1"], 0)[rows]
        np.testing.assert_array_equal(batch.labels["annotator_1"], expected)
        assert batch.noise.dropout.shape == (2, 2 * run.channels(run.embedding_size))
        assert batch.noise.y0_decoder.shape == (2, 8)
    drawn = [float(b.noise.y0_encoder[0, 0]) for b in (*first, *second)]
    assert len(set(drawn)) == 4
    orders = [np.concatenate([b.index for b in e]).tolist() for e in (first, second)]
    assert all(len(set(order)) == 4 for order in orders)
    with pytest.raises(UserError, match="batch_size 8 is more than the 5 pictures"):
        batches.training(run, IMAGES, LABELS, 8)


def test_all_of_evaluation_in_order(tiny_config):
    found = list(batches.evaluation(tiny_config(), IMAGES, LABELS, 2))
    assert [batch.index.numpy().tolist() for batch in found] == [[0, 1], [2, 3], [4]]


def test_noise_is_a_function_of_its_seed(tiny_config):
    one, same, other = (batches.noise(tiny_config(), 2, np.int64(s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(one.y0_encoder, same.y0_encoder)
    assert not np.array_equal(one.y0_encoder, other.y0_encoder)
    assert not np.array_equal(one.y0_encoder, one.y0_decoder)
    assert 0 <= one.dropout.numpy().min() <= one.dropout.numpy().max() < 1
