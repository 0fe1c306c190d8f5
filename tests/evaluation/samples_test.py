import dataclasses
import os

import numpy as np
import pytest
from PIL import Image

from kfer import tasks
from kfer.evaluation import samples
from tests import runs
from tests.data import prepared


@pytest.fixture(scope="module")
def method():
    return runs.method(runs.config())


def test_columns_are_classes_on_which_all_annotators_agree():
    other = tasks.LabelTask("source", tasks.CATEGORICAL, ("web", "film"))
    config = runs.config()
    config = dataclasses.replace(config, tasks=(*config.tasks, other))
    values = {"valence_arousal": np.arange(14).reshape(7, 2) / 14}
    shown = samples.columns(config, values)
    assert shown.titles == tasks.EXPRESSIONS[:7]
    for name in ("annotator_1", "annotator_2", "annotator_3"):
        np.testing.assert_array_equal(shown.labels[name], np.eye(7))
    np.testing.assert_allclose(
        shown.labels["valence_arousal"], values["valence_arousal"], rtol=1e-6
    )
    # Classes of another meaning are missing: zeros.
    np.testing.assert_array_equal(shown.labels["source"], np.zeros((7, 2)))
    middle = samples.columns(config).labels["valence_arousal"]
    np.testing.assert_array_equal(middle, np.zeros((7, 2)))


def test_without_classes_the_columns_sweep_the_first_dimension():
    config = dataclasses.replace(runs.config(), tasks=(tasks.valence_arousal_task(),))
    shown = samples.columns(config)
    assert shown.titles == ("-1", "-0.67", "-0.33", "+0", "+0.33", "+0.67", "+1")
    labels = shown.labels["valence_arousal"]
    np.testing.assert_allclose(labels[:, 0], np.linspace(-1, 1, 7), atol=1e-6)
    np.testing.assert_array_equal(labels[:, 1], np.zeros(7))


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_a_picture_is_the_decoders_for_its_row_and_column(method, order):
    import tensorflow as tf

    config = runs.config(channel_order=order)
    shown = samples.columns(config)
    grid = samples.draw(method, config, shown, rows=2, seed=3)
    assert (grid.shape, grid.dtype) == ((2, 7, 32, 32, 3), np.uint8)
    y0 = tf.random.stateless_normal([2, 8], [3, 0])
    for row, column in ((0, 4), (1, 0)):
        labels = {n: part[column : column + 1] for n, part in shown.labels.items()}
        image = method.decoder(y0[row : row + 1], labels).numpy()[0]
        image = image[..., ::-1] if order == "bgr" else image
        difference = grid[row, column] - (image + 1) * 127.5
        assert np.abs(difference).max() < 0.51  # rounded to the next integer
    assert np.abs(grid[0, 0].astype(int) - grid[0, 1]).mean() > 10
    assert np.abs(grid[0, 0].astype(int) - grid[1, 0]).mean() > 10


def test_drawing_moves_no_state(method):
    before = [variable.numpy() for variable in method.decoder.variables]
    samples.draw(method, runs.config(), samples.columns(runs.config()), rows=1)
    for old, variable in zip(before, method.decoder.variables):
        np.testing.assert_array_equal(old, variable.numpy())


def test_to_uint8_rounds_and_clips():
    image = np.array([[-1.0, 0.0, 1.0], [-1.5, 0.1, 2.0]], np.float32)
    # (0 + 1) 127.5 = 127.5 -> 128 (to even); (0.1 + 1) 127.5 = 140.25 -> 140
    found = samples.to_uint8(image, "rgb").numpy()
    np.testing.assert_array_equal(found, [[0, 128, 255], [0, 140, 255]])
    found = samples.to_uint8(image, "bgr").numpy()
    np.testing.assert_array_equal(found, [[255, 128, 0], [255, 140, 0]])


def test_typical_values_are_means_by_class(tmp_path):
    dataset = prepared.write(tmp_path / "set", num_train=19)
    found = samples.typical_values(dataset, prepared.small_config())
    # Class c has examples c and c + 10 with valence i / 64; 9 alone has no second.
    valence = [(c + 5) / 64 for c in range(9)] + [9 / 64]
    np.testing.assert_allclose(found["valence_arousal"][:, 0], valence, rtol=1e-5)
    np.testing.assert_allclose(found["valence_arousal"][:, 1], -0.5)


def test_a_class_without_examples_has_the_middle(tmp_path):
    dataset = prepared.write(tmp_path / "set", num_train=3)
    found = samples.typical_values(dataset, prepared.small_config())
    np.testing.assert_allclose(found["valence_arousal"][2], [2 / 64, -0.5])
    np.testing.assert_array_equal(found["valence_arousal"][3:], np.zeros((7, 2)))


def test_painter_writes_the_same_grid_at_each_step(method, tmp_path):
    paint = samples.painter(method, str(tmp_path), runs.dataset(), rows=3)
    first, second = paint(0), paint(123)
    assert os.path.relpath(second, tmp_path) == os.path.join(
        "samples", "step-000123.png"
    )
    pages = [np.asarray(Image.open(path)) for path in (first, second)]
    np.testing.assert_array_equal(*pages)
    assert pages[0].shape == (16 + 3 * 66 + 2, 7 * 66 + 2, 3)
    assert sorted(os.listdir(tmp_path / "samples")) == [
        "step-000000.png",
        "step-000123.png",
    ]


def test_without_a_decoder_nothing_is_painted(tmp_path):
    config = runs.run_config()
    paint = samples.painter(runs.method(config), str(tmp_path))
    assert paint(1) is None
    assert not os.listdir(tmp_path)
