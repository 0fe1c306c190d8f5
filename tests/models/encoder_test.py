import numpy as np
import pytest
import tensorflow as tf

from kfer import tasks
from kfer.models.backbones import vgg16
from kfer.models.encoder import Encoder, sample_y0
from kfer.models.layout import ENCODER_BLOCKS
from kfer.settings import config
from kfer.structures import EncoderOutput


def built(run, seed=0):
    tf.keras.utils.set_random_seed(seed)
    encoder = Encoder(run)
    encoder(tf.zeros([1, run.image_size, run.image_size, 3]))
    return encoder


@pytest.fixture(scope="module")
def tiny(tiny_config):
    return built(tiny_config())


def image_of(run, size=4, seed=0):
    shape = (size, run.image_size, run.image_size, 3)
    values = np.random.default_rng(seed).uniform(-1, 1, shape)
    return tf.constant(values, tf.float32)


@pytest.mark.parametrize(
    "name, expected", [("cifar10_multi", 15_357_990), ("raf_multi", 16_094_397)]
)
def test_parameter_counts_of_the_full_networks(name, expected):
    encoder = built(config.experiment_config(name))
    assert sum(int(tf.size(v)) for v in encoder.trainable_variables) == expected
    assert not encoder.non_trainable_variables


def test_outputs(tiny):
    output = tiny(image_of(tiny.config))
    assert output.mean.shape == output.logvar.shape == (4, 8)
    assert {name: v.shape for name, v in output.labels.items()} == {
        "annotator_1": (4, 3),
        "valence_arousal": (4, 2),
    }
    tensors = tf.nest.flatten(output)
    assert all(t.dtype == tf.float32 for t in tensors)
    assert all(np.all(np.isfinite(t)) for t in tensors)


def numpy_encoder(encoder, image):
    """The plain net: VALID max pooling after each block, two dense layers."""
    hidden = image
    for row in encoder.convolutions:
        for layer in row:
            hidden = tf.nn.conv2d(hidden, layer.kernel, 1, "SAME") + layer.bias
            hidden = tf.nn.relu(hidden)
        hidden = tf.nn.max_pool2d(hidden, 2, 2, "VALID")
    hidden = hidden.numpy().reshape(len(image), -1)
    for layer in encoder.embedding:
        hidden = np.maximum(hidden @ layer.kernel.numpy() + layer.bias.numpy(), 0)
    return hidden


@pytest.mark.parametrize("size", (32, 64))
def test_features_in_plain_form(tiny_config, size):
    encoder = built(tiny_config(image_size=size))
    image = image_of(encoder.config)
    np.testing.assert_allclose(
        encoder.features(image, None),
        numpy_encoder(encoder, image),
        rtol=1e-3,
        atol=1e-5,
    )


def test_every_head_reads_the_same_features(tiny):
    image = image_of(tiny.config)
    features = tiny.features(image, None)
    output = tiny(image)
    for layer, value in (
        (tiny.mean_layer, output.mean),
        (tiny.logvar_layer, output.logvar),
        (tiny.heads[0], output.labels["annotator_1"]),
    ):
        expected = features @ layer.kernel + layer.bias
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


def test_dropout_by_hand(tiny):
    # rate 0.5: a unit is dropped where its draw is below 0.5, others are doubled
    hidden = tf.constant([[1.0, 2.0, 3.0, 4.0]])
    draw = tf.constant([[0.0, 0.49, 0.5, 0.99]])
    assert tiny.trunk._drop(hidden, draw).numpy().tolist() == [[0.0, 0.0, 6.0, 8.0]]


def flattened(encoder, image):
    hidden = image
    for row in encoder.convolutions:
        for layer in row:
            hidden = layer(hidden)
        hidden = tf.nn.max_pool2d(hidden, 2, 2, "VALID")
    return hidden.numpy().reshape(len(image), -1)


def test_dropout_draws_are_halved_between_the_layers(tiny):
    image = image_of(tiny.config, 2)
    first, second = tiny.embedding
    draws = np.random.default_rng(0).random((2, 128)).astype(np.float32)
    hidden = flattened(tiny, image) @ first.kernel.numpy() + first.bias.numpy()
    hidden = np.maximum(hidden, 0) * (draws[:, :64] >= 0.5) * 2
    hidden = np.maximum(hidden @ second.kernel.numpy() + second.bias.numpy(), 0)
    expected = hidden * (draws[:, 64:] >= 0.5) * 2
    features = tiny.features(image, tf.constant(draws))
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-6)
    assert not np.allclose(features, tiny.features(image, None))


def test_rate_zero_ignores_the_draws(tiny_config):
    encoder = built(tiny_config(dropout_rate=0.0))
    image = image_of(encoder.config)
    units = encoder.embedding[0].units
    with_draws = encoder.features(image, tf.zeros([4, 2 * units]))
    np.testing.assert_array_equal(with_draws, encoder.features(image, None))


def test_tanh_output_spans_the_label_s_range(tiny_config):
    scaled = tasks.LabelTask(
        "pain", tasks.CONTINUOUS, dimensions=("level",), low=0.0, high=10.0
    )
    for choice, extremes in (("tanh", (0.0, 10.0)), ("linear", (-80.0, 80.0))):
        encoder = Encoder(tiny_config(tasks=(scaled,), continuous_output=choice))
        raw = tf.constant([[-80.0], [0.0], [80.0]])
        low, middle, high = encoder._output(scaled, raw).numpy()[:, 0]
        assert (low, high) == pytest.approx(extremes, abs=1e-4)
        # tanh(0) = 0 is the middle of the range
        assert middle == (5.0 if choice == "tanh" else 0.0)


def test_tanh_leaves_logits_alone(tiny_config):
    run = tiny_config(continuous_output="tanh")
    raw = tf.constant([[-9.0, 0.0, 9.0]])
    np.testing.assert_array_equal(Encoder(run)._output(run.tasks[0], raw), raw)


def test_the_class_is_the_same_with_tanh_and_values_are_inside(tiny, tiny_config):
    linear = built(tiny_config(continuous_output="linear"))
    image = image_of(tiny.config)
    raw = linear(image).labels["valence_arousal"]
    bounded = tiny(image).labels["valence_arousal"]
    np.testing.assert_allclose(bounded, np.tanh(raw), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "size, side", [(32, 1), (48, 1), (64, 2), (96, 3), (128, 4), (256, 8)]
)
def test_every_image_size(tiny_config, size, side):
    encoder = built(tiny_config(image_size=size))
    # 512 channels at width 1/8 on a map of size / 32
    assert encoder.embedding[0].kernel.shape == (64 * side * side, 64)
    assert encoder(image_of(encoder.config, 1)).mean.shape == (1, 8)


@pytest.mark.parametrize("start", ("he", "authors_2021"))
def test_starting_values(tiny_config, start):
    encoder = built(tiny_config(encoder_start=start, width=0.25))
    fan_in = 3
    for row, counts in zip(encoder.convolutions, ENCODER_BLOCKS, strict=True):
        assert len(row) == len(counts)
        for layer in row:
            # variance 2 / (9 in) keeps the signal's size; 2021: 2 / (9 out)
            fan = layer.filters if start == "authors_2021" else fan_in
            assert np.std(layer.kernel) == pytest.approx(
                np.sqrt(2 / (9 * fan)), rel=0.1
            )
            assert not np.any(layer.bias)
            fan_in = layer.filters
    first, second = encoder.embedding
    limit = 1 / np.sqrt(128)
    if start == "he":
        assert not np.any(first.bias)
        assert np.std(second.kernel) == pytest.approx(np.sqrt(2 / 128), rel=0.1)
    else:
        assert 0 < np.abs(first.bias).max() <= limit
    # The heads start as PyTorch's: U(-1 / sqrt(inputs), 1 / sqrt(inputs)), biases too.
    for layer in (encoder.mean_layer, encoder.logvar_layer, *encoder.heads):
        for variable in (layer.kernel, layer.bias):
            assert 0 < np.abs(variable).max() <= limit


def test_he_keeps_the_images_apart_in_a_narrow_net(tiny_config):
    spread = {}
    for start in ("he", "authors_2021"):
        encoder = built(tiny_config(encoder_start=start))
        features = encoder.features(image_of(encoder.config, 8), None)
        spread[start] = np.std(features, axis=0).mean()
    assert spread["he"] > 10 * spread["authors_2021"]


def test_sample_y0_by_hand():
    output = EncoderOutput(
        mean=tf.constant([[1.0, -1.0]]),
        logvar=tf.math.log([[4.0, 0.25]]),
        labels={},
    )
    # 1 + 2 * 3 and -1 + 0.5 * -2
    y0 = sample_y0(output, tf.constant([[3.0, -2.0]]))
    assert y0.numpy() == pytest.approx(np.array([[7.0, -2.0]]))


def test_a_graph_gives_the_eager_values(tiny):
    image = image_of(tiny.config)
    eager, graph = tiny(image), tf.function(tiny)(image)
    for a, b in zip(tf.nest.flatten(eager), tf.nest.flatten(graph)):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_convolution_config_round_trip():
    layer = vgg16.Convolution(5, "he")
    twin = vgg16.Convolution.from_config(layer.get_config())
    twin.build((None, 4, 4, 3))
    assert twin.kernel.shape == (3, 3, 3, 5)
    assert twin.get_config() == layer.get_config()
