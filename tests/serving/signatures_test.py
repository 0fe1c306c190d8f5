import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kfer import tasks
from kfer.data import augment, dataset, input_pipeline
from kfer.data.record import Record
from kfer.errors import UserError
from kfer.serving import encoded, signatures
from tests import runs
from tests.data import prepared

decode = tf.function(
    lambda data: encoded.decode(data, 32),
    input_signature=[tf.TensorSpec([None], tf.string)],
    autograph=False,
)


def picture(seed: int, width: int, height: int, image_format: str) -> bytes:
    """A smooth picture, so that JPEG keeps it."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))
    buffer = io.BytesIO()
    small.resize((width, height), Image.BICUBIC).save(buffer, image_format)
    return buffer.getvalue()


def test_decoding_a_png_of_the_same_size_gives_its_pixels():
    data = [prepared.png(i) for i in range(3)]
    expected = np.stack([prepared.pixels_of(one) for one in data])
    np.testing.assert_array_equal(decode(tf.constant(data)), expected)
    np.testing.assert_array_equal(decode(tf.constant(data[:1])), expected[:1])


def test_any_batch_size_even_none():
    assert decode(tf.constant([], tf.string)).shape == (0, 32, 32, 3)
    assert decode(tf.constant([prepared.png(1)])).shape == (1, 32, 32, 3)


def test_a_flat_picture_keeps_its_colour_at_any_size():
    buffer = io.BytesIO()
    Image.new("RGB", (300, 80), (10, 200, 90)).save(buffer, "PNG")
    found = decode(tf.constant([buffer.getvalue()] * 2)).numpy()
    expected = np.broadcast_to((10, 200, 90), found.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("stored_size", [0, 32, 64])
def test_decoding_is_the_input_pipelines(tmp_path, stored_size):
    """Bit for bit, whether the data set holds the size, another one, or various."""
    sides = [(stored_size, stored_size)] * 3 if stored_size else [(48, 80), (32, 32)]
    data = [
        picture(i, *side, image_format)
        for image_format in ("PNG", "JPEG")
        for i, side in enumerate(sides)
    ]
    records = [Record(str(i), one, {}, {"class": 1}) for i, one in enumerate(data)]
    made = dataset.write(
        str(tmp_path / "set"),
        "small",
        {"test": records},
        prepared.COLUMNS,
        prepared.CLEAN,
        image_size=stored_size,
    )
    config = prepared.small_config(channel_order="bgr")
    ((image, _, _),) = input_pipeline.eval_batches(made, config)
    for part in (data, data[:1]):
        found = augment.normalise(decode(tf.constant(part)), "bgr")
        np.testing.assert_array_equal(found, image[: len(part)])


def damaged() -> dict[str, bytes]:
    jpeg, png = picture(0, 64, 64, "JPEG"), picture(1, 64, 64, "PNG")
    flipped = bytearray(png)
    flipped[-30] ^= 0xFF
    return {
        "text": b"no picture",
        "nothing": b"",
        "half a JPEG": jpeg[: len(jpeg) // 2],
        "half a PNG": png[: len(png) // 2],
        "a PNG with a wrong CRC": bytes(flipped),
        "a JPEG's header": jpeg[:20],
        "BMP": picture(2, 8, 8, "BMP"),
    }


@pytest.mark.parametrize("name", damaged())
def test_what_is_no_whole_picture_is_marked_and_the_others_are_decoded(name):
    good, bad = prepared.png(0), damaged()[name]
    graph = tf.function(lambda data: encoded.decoded(data, 32), autograph=False)
    images, whole = graph(tf.constant([good, good, bad, good]))
    assert whole.numpy().tolist() == [True, True, False, True]
    expected = prepared.pixels_of(good)
    for row in (0, 1, 3):
        np.testing.assert_array_equal(images[row], expected)
    np.testing.assert_array_equal(images[2], np.zeros((32, 32, 3)))
    images, whole = graph(tf.constant([bad]))
    assert images.shape == (1, 32, 32, 3) and not whole.numpy().any()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"at index\] \[2\]"):
        decode(tf.constant([good, good, bad, good]))
    with pytest.raises(tf.errors.InvalidArgumentError):
        encoded.decode_one(tf.constant(bad), 32)


def test_all_bad_pictures_are_named():
    good = prepared.png(0)
    batch = tf.constant([b"x", good, b"y", good, b""])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"at index\] \[0 2 4\]"):
        decode(batch)


def test_checked_names_the_rows_out_of_range():
    values = np.zeros((4, 2, 2), np.float32)
    rounded = tf.constant(values + 1.0005)
    np.testing.assert_array_equal(signatures.checked(rounded, -1.0, 1.0, "x"), rounded)
    values[1, 0, 1], values[3, 1, 1] = 255.0, np.nan
    graph = tf.function(lambda x: signatures.checked(x, -1.0, 1.0, "x"))
    text = r"x must lie in \[-1, 1\]; not at index\] \[1 3\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=text):
        graph(tf.constant(values))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[0, 6\].*\[1\]"):
        tf.function(lambda x: signatures.checked(x, 0, 6, "x"))(tf.constant([[0], [7]]))


def test_outputs_carry_class_names_by_row():
    config = runs.config()
    answers = {
        "expression": tf.constant(
            [[0.1, 0.6, 0.3, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1.0]]
        ),
        "valence_arousal": tf.constant([[0.5, -0.5], [0.0, 1.0]]),
    }
    good = tf.constant([True, True])
    found = signatures.outputs(config, answers, good, "wrong")
    assert found["status"].numpy().tolist() == [b"OK", b"OK"]
    assert list(found) == signatures.output_names(config)
    np.testing.assert_array_equal(found["expression"], answers["expression"])
    assert found["expression_class"].numpy().tolist() == [b"happy", b"anger"]
    np.testing.assert_allclose(found["expression_confidence"], [0.6, 1.0])
    names = [name.encode() for name in tasks.EXPRESSIONS[:7]]
    assert found["expression_classes"].numpy().tolist() == [names, names]
    np.testing.assert_array_equal(found["valence_arousal"], answers["valence_arousal"])


def test_a_bad_row_says_so_and_has_no_numbers():
    answers = {
        "expression": tf.constant([[0.1, 0.6, 0.3, 0, 0, 0, 0]] * 2),
        "valence_arousal": tf.constant([[0.5, -0.5]] * 2),
    }
    good = tf.constant([False, True])
    found = signatures.outputs(runs.config(), answers, good, "wrong")
    assert found["status"].numpy().tolist() == [b"wrong", b"OK"]
    assert found["expression_class"].numpy().tolist() == [b"", b"happy"]
    np.testing.assert_allclose(found["expression_confidence"], [0, 0.6])
    np.testing.assert_allclose(
        found["expression"], [[0] * 7, [0.1, 0.6, 0.3, 0, 0, 0, 0]]
    )
    np.testing.assert_allclose(found["valence_arousal"], [[0, 0], [0.5, -0.5]])
    # The names stay: they are no answer.
    assert found["expression_classes"].shape == (2, 7)


def test_outputs_of_one_name_are_refused():
    label_tasks = (
        tasks.LabelTask("a", tasks.CATEGORICAL, ("x", "y")),
        tasks.LabelTask("a_class", tasks.CONTINUOUS, dimensions=("x",)),
    )
    with pytest.raises(UserError, match=r"Two outputs .* would be called a_class"):
        signatures.output_names(runs.config(tasks=label_tasks))
    status = tasks.LabelTask("status", tasks.CONTINUOUS, dimensions=("x",))
    with pytest.raises(UserError, match=r"Two outputs .* would be called status"):
        signatures.output_names(runs.config(tasks=(status,)))
