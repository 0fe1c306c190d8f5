import os

import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.serving import foreign_ops, model_folder
from tests import runs

PB = "/saved_model.pb"


def saved(folder, function) -> str:
    """What passes for an exported model and runs `function` of a text."""
    module = tf.Module()
    module.answer = tf.function(
        function, input_signature=[tf.TensorSpec([], tf.string)], autograph=False
    )
    tf.saved_model.save(module, str(folder))
    (folder / "assets").mkdir(exist_ok=True)
    (folder / "assets" / "labels.json").write_text('{"format_version": 1}')
    return str(folder)


def written(path):
    def function(text):
        with tf.control_dependencies([tf.io.write_file(path, text)]):
            return tf.identity(text)

    return function


def test_what_writes_a_file_is_never_loaded(tmp_path):
    folder = saved(tmp_path / "m", written(str(tmp_path / "out")))
    with pytest.raises(UserError, match=r"holds WriteFile: .*--format=onnx") as error:
        model_folder.load(folder)
    assert len(str(error.value).splitlines()) == 1
    assert not os.path.exists(tmp_path / "out")


def test_what_hides_in_a_function_of_a_data_set_is_seen(tmp_path):
    def function(text):
        rows = tf.data.Dataset.from_tensors(text).map(tf.io.read_file)
        return rows.get_single_element()

    with pytest.raises(UserError, match="holds ReadFile: "):
        foreign_ops.check(saved(tmp_path / "m", function) + PB)
    lines = saved(
        tmp_path / "n",
        lambda text: tf.data.TFRecordDataset(text).batch(9).get_single_element(),
    )
    with pytest.raises(UserError, match=r"holds TFRecordDataset(V2)?: "):
        foreign_ops.check(lines + PB)


def test_versions_of_an_operation_are_one():
    names = [
        foreign_ops._plain(n) for n in ("CacheDatasetV2", "PrintV2", "ConvV", "V2")
    ]
    assert names == ["CacheDataset", "PrintV2", "ConvV", "V2"]


def test_our_own_models_hold_none():
    foreign_ops.check(runs.model() + PB)


def test_a_damaged_graph_is_one_line(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff no graph")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "labels.json").write_text('{"format_version": 1}')
    with pytest.raises(UserError, match="is damaged"):
        model_folder.load(str(tmp_path))
