import json

import pytest

from kfer.data.importing import reading
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


def read(tmp_path, content, name="t.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return reading.read(str(path), TableOptions(**options))


def test_json_lines_and_arrays(tmp_path):
    lines = '{"a": "01", "b": {"x": 2.0}}\n\n[1]\n{"a": "\\ud800"}\n{"a": \n'
    found = read(tmp_path, lines, "t.jsonl")
    assert found.cells["a"].tolist()[0] == "01"
    assert found.cells["b:x"].tolist()[0] == "2"
    assert found.lines == [1, 3, 4, 5]
    assert sorted(found.problems) == [1, 2, 3]
    array = read(tmp_path, json.dumps([{"a": None}, {"a": [1, 2]}]), "t.json")
    assert array.cells["a"].tolist() == ["", "1;2"] and array.form == "a JSON array"
    deep = read(tmp_path, '{"a": 1}\n' + "[" * 100_000 + "\n", "t.jsonl")
    assert "no JSON" in deep.problems[1]


def test_keys_that_space_alone_parts_are_refused(tmp_path):
    with pytest.raises(UserError, match="has the column 'label' twice"):
        read(tmp_path, '{"image": "a.png", "label": "x", "label ": "y"}\n', "t.jsonl")
