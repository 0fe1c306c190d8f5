import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.serving import export, model_folder
from kfer.settings import config as config_lib
from tests import runs


@pytest.fixture(scope="module")
def config():
    return runs.config()


@pytest.fixture(scope="module")
def method(config):
    return runs.method(config)


@pytest.fixture(scope="module")
def model(method, config, tmp_path_factory):
    """An encoder-only SavedModel: what export_model said, and it loaded."""
    path = str(tmp_path_factory.mktemp("export") / "model")
    exported = export.export_model(
        method, config, path, notes=export.Notes(5, {"x": "y"})
    )
    return exported, tf.saved_model.load(path).signatures


@pytest.fixture(scope="module")
def with_decoder(method, config, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("export") / "model")
    exported = export.export_model(method, config, path, include_decoder=True)
    return exported, tf.saved_model.load(path).signatures


def variable_names(path: str) -> list[str]:
    listed = tf.train.list_variables(os.path.join(path, "variables", "variables"))
    names = [name for name, _ in listed]
    return [name for name in names if name != "_CHECKPOINTABLE_OBJECT_GRAPH"]


def test_bytes_give_what_the_model_in_memory_says(model, method):
    expected = method.answers(runs.images())
    for part in (slice(0, 20), slice(3, 4)):
        found = model[1]["serving_default"](
            image_bytes=tf.constant(runs.encoded()[part])
        )
        for target in ("expression", "valence_arousal"):
            np.testing.assert_allclose(found[target], expected[target][part], atol=1e-5)
        probabilities = expected["expression"][part].numpy()
        classes = [
            config_lib.EXPERIMENTS["synthetic_faces"].tasks[0].classes[i]
            for i in probabilities.argmax(1)
        ]
        assert found["expression_class"].numpy().astype(str).tolist() == classes
        np.testing.assert_allclose(
            found["expression_confidence"], probabilities.max(1), atol=1e-5
        )


def test_images_give_the_same(model, method):
    expected = method.answers(runs.images())
    found = model[1]["predict_images"](images=runs.images())
    for target in ("expression", "valence_arousal"):
        np.testing.assert_allclose(found[target], expected[target], atol=1e-5)


def test_an_empty_request_gets_empty_answers(model):
    found = model[1]["serving_default"](image_bytes=tf.constant([], tf.string))
    shapes = {name: tuple(value.shape) for name, value in found.items()}
    assert shapes == {
        "expression": (0, 7),
        "expression_class": (0,),
        "expression_confidence": (0,),
        "expression_classes": (0, 7),
        "status": (0,),
        "valence_arousal": (0, 2),
    }
    images = np.zeros((0, 32, 32, 3), np.float32)
    assert model[1]["predict_images"](images=images)["expression"].shape == (0, 7)


@pytest.mark.parametrize("value", [255.0, np.nan, np.inf])
def test_a_bad_row_has_its_status_and_the_others_their_answers(model, method, value):
    serve, predict = (model[1][n] for n in ("serving_default", "predict_images"))
    data = [runs.encoded()[0], b"no picture", runs.encoded()[1]]
    wrong = np.full((32, 32, 3), value, np.float32)
    images = np.stack([runs.images()[0], wrong, runs.images()[1]])
    expected = method.answers(runs.images()[:2])
    for found, fault in (
        (serve(image_bytes=tf.constant(data)), b"no whole JPEG or PNG picture"),
        (predict(images=images), b"images must lie in [-1, 1]"),
    ):
        assert found["status"].numpy().tolist() == [b"OK", fault, b"OK"]
        for target in ("expression", "valence_arousal"):
            rows = found[target].numpy()
            np.testing.assert_allclose(rows[[0, 2]], expected[target], atol=1e-5)
            np.testing.assert_array_equal(rows[1], 0 * rows[1])
        assert found["expression_class"].numpy()[1] == b""
        assert found["expression_confidence"].numpy()[1] == 0.0


def count(variables) -> int:
    return sum(int(np.prod(variable.shape)) for variable in variables)


def test_only_the_encoder_is_inside(model, method):
    exported, _ = model
    numbers = count(method.encoder.variables)
    assert exported.num_parameters == numbers
    # All of it is in the graph, once, though two signatures call it.
    assert variable_names(exported.path) == []
    size = os.path.getsize(os.path.join(exported.path, "saved_model.pb"))
    assert 4 * numbers < size < 4 * numbers + 150_000
    assert sorted(exported.signatures) == [
        *("predict_examples", "predict_images", "serving_default"),
    ]
    sizes = [
        os.path.getsize(os.path.join(root, name))
        for root, _, names in os.walk(exported.path)
        for name in names
    ]
    assert exported.megabytes == pytest.approx(sum(sizes) / 1e6)


def test_the_decoder_comes_when_asked(with_decoder, method):
    exported, signatures = with_decoder
    both = method.encoder.variables + method.decoder.variables
    assert exported.num_parameters == count(both)
    assert len(variable_names(exported.path)) == len(method.decoder.variables)
    assert sorted(signatures) == [
        *("generate", "predict_examples", "predict_images", "serving_default"),
    ]


def test_generate_draws_what_the_decoder_draws(with_decoder, method, config):
    rng = np.random.default_rng(0)
    y0 = rng.normal(size=(3, 8)).astype(np.float32)
    labels = {f"annotator_{i}": np.array([1, -1, 6], np.int32) for i in (1, 2, 3)}
    labels["valence_arousal"] = rng.uniform(-1, 1, (3, 2)).astype(np.float32)
    found = with_decoder[1]["generate"](
        y0=tf.constant(y0), **{n: tf.constant(v) for n, v in labels.items()}
    )
    onehot = np.eye(7, dtype=np.float32)[[1, 0, 6]] * [[1], [0], [1]]  # -1 is no label
    given = {name: onehot.astype(np.float32) for name in labels if name[0] == "a"}
    given["valence_arousal"] = labels["valence_arousal"]
    expected = method.decoder(y0, given).numpy()
    np.testing.assert_allclose(found["image_float"], expected, atol=1e-4)
    difference = found["image"].numpy() - (expected + 1) * 127.5
    assert np.abs(difference).max() < 0.52
    labels["annotator_2"] = np.array([0, 7, 1], np.int32)
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"annotator_2 must lie in \[-1, 6\].*\[1\]",
    ):
        with_decoder[1]["generate"](
            y0=tf.constant(y0), **{n: tf.constant(v) for n, v in labels.items()}
        )


def test_a_method_without_decoder_has_none_to_export(tmp_path):
    config = runs.run_config()
    with pytest.raises(UserError, match="Method 'vgg_all' has no decoder"):
        export.export_model(runs.method(config), config, str(tmp_path / "m"), True)
    assert not os.listdir(tmp_path)


def test_labels_and_card_lie_in_assets(model, config):
    exported, _ = model
    described = model_folder.read_description(exported.path)
    assert sorted(os.listdir(os.path.join(exported.path, "assets"))) == [
        "labels.json",
        "model_card.md",
    ]
    assert [target["name"] for target in described["targets"]] == [
        "expression",
        "valence_arousal",
    ]
    assert described["targets"][0]["classes"] == list(config.tasks[0].classes)
    assert described["targets"][1]["dimensions"] == ["valence", "arousal"]
    assert (described["image_size"], described["channel_order"]) == (32, "rgb")
    assert (described["step"], described["details"]) == (5, {"x": "y"})
    assert config_lib.from_dict(described["config"]) == config
    assert described["signatures"]["serving_default"]["inputs"] == {
        "image_bytes": "string [batch]"
    }
    with open(os.path.join(exported.path, "assets", "model_card.md")) as file:
        card = file.read()
    assert "from training step 5" in card and "x: y." in card
    assert "What a face shows" in card and "{" not in card


def test_no_path_of_this_machine_is_inside(model):
    with open(os.path.join(model[0].path, "saved_model.pb"), "rb") as file:
        data = file.read()
    for path in (os.path.dirname(model[0].path), os.path.expanduser("~/"), "/tmp/"):
        assert path.encode() not in data


def test_it_runs_without_kfer(model, method, tmp_path):
    """As a server would: a process that has TensorFlow alone."""
    code = (
        "import sys, tensorflow as tf\n"
        "sys.modules['kfer'] = None\n"
        "serve = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "data = [open(path, 'rb').read() for path in sys.argv[2:]]\n"
        "print(serve(image_bytes=tf.constant(data))['expression'].numpy().tolist())\n"
    )
    paths = [str(tmp_path / f"{i}.png") for i in range(2)]
    for path, data in zip(paths, runs.encoded()):
        with open(path, "wb") as file:
            file.write(data)
    done = subprocess.run(
        [sys.executable, "-c", code, model[0].path, *paths],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    expected = method.answers(runs.images()[:2])["expression"]
    np.testing.assert_allclose(json.loads(done.stdout), expected, atol=1e-5)


def test_a_model_trained_on_replicas_exports_too(config, tmp_path):
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    small = runs.run_config()
    with strategy.scope():
        method = runs.method(small)
    path = str(tmp_path / "model")
    exported = export.export_model(method, small, path)
    assert exported.num_parameters == count(method.encoder.variables)
    predict = tf.saved_model.load(path).signatures["predict_images"]
    found = predict(images=runs.images())["expression"]
    expected = method.answers(runs.images())["expression"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_diverged_model_is_not_exported(tmp_path):
    config = runs.run_config()
    method = runs.method(config)
    bias = method.encoder.heads[0].bias
    bias.assign(np.full(bias.shape, np.nan, np.float32))
    with pytest.raises(UserError, match=r"has diverged: \S*bias\S* is not finite"):
        export.export_model(method, config, str(tmp_path / "m"))
    assert not os.listdir(tmp_path)


def test_a_run_is_exported_with_its_step_and_data():
    exported = export.export_run(runs.run(), overwrite=True)
    assert exported.path == os.path.join(runs.run(), "model")
    described = model_folder.read_description(exported.path)
    assert described["step"] == runs.STEP
    assert described["details"]["data"] == runs.dataset().content_hash
    # Drawn heads fill their pictures: they came cut.
    assert described["framing"] == {"kind": "as_given", "detector": ""}
    config, answers = export.load_answers(exported.path)
    assert config.recipe.channel_order == "rgb"
    expected = runs.method(runs.run_config()).answers(runs.images())
    expected = expected["valence_arousal"]
    found = answers(runs.images())["valence_arousal"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_probabilities_are_calibrated_and_fit_the_confidence():
    signatures = tf.saved_model.load(runs.model()).signatures
    found = signatures["serving_default"](image_bytes=tf.constant(runs.encoded()))
    for target, wanted in runs.expected().items():
        np.testing.assert_allclose(found[target], wanted, atol=1e-5)
    best = found["expression"].numpy().max(1)
    np.testing.assert_array_equal(found["expression_confidence"], best)
    described = model_folder.read_description(runs.model())
    assert described["calibration"] == runs.CALIBRATION


def test_the_data_of_a_run_must_be_there_to_calibrate(tmp_path):
    with pytest.raises(
        UserError, match=r"can't be calibrated: .*--calibrate_on=none leaves it out"
    ):
        export.export_run(
            runs.run(), str(tmp_path / "m"), data_dir=str(tmp_path / "none")
        )
    assert os.listdir(tmp_path) == []


def test_describe_lists_signatures():
    exported = export.Exported(
        "m", {"f": {"inputs": {"a": "int32 [batch]"}, "outputs": {"b": "x"}}}, 3, 12.34
    )
    assert exported.describe() == (
        "m: 12.3 MB, 3 parameters\nf:\n  <- a: int32 [batch]\n  -> b: x"
    )
