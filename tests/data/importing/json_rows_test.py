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


@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_an_object_with_one_key_twice_is_set_aside(tmp_path, name):
    texts = [
        '{"a": 1, "b": {"x": 2}}',
        '{"a": 1, "a": 2}',
        '{"a": 3, "b": [{"x": 4, "x": 4}]}',
    ]
    lines, array = "\n".join(texts), f"[{','.join(texts)}]"
    found = read(tmp_path, lines if name == "t.jsonl" else array, name)
    assert found.problems == {
        1: "it has the key 'a' twice",
        2: "it has the key 'x' twice",
    }
    assert found.lines == [1, 2, 3]


def test_one_object_over_many_lines_is_one_row(tmp_path):
    text = json.dumps({"data": [{"a": 1}, {"a": 2}], "b": 3}, indent=1)
    found = read(tmp_path, text, "t.json")
    assert found.lists == {"data": [[{"a": 1}, {"a": 2}]]} and not found.problems
    assert (found.form, found.lines) == ("a JSON object", [1])


def test_what_is_no_json_at_all_is_one_line(tmp_path):
    message = (
        "t.jsonl is neither a JSON array nor an object a line: line 2 is no JSON: E"
    )
    with pytest.raises(UserError, match=message):
        read(tmp_path, "\nimage,label\na.png,x\n", "t.jsonl")


@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_a_key_twice_in_all_objects_is_one_line(tmp_path, name):
    rows = ['{"image": "a.png", "note": 1, "label": "x", "note": 2}'] * 3
    text = "\n".join(rows) if name == "t.jsonl" else f"[{','.join(rows)}]"
    message = f"has no row that can be read; {name}:1: it has the key 'note' twice$"
    with pytest.raises(UserError, match=message):
        read(tmp_path, text, name)
