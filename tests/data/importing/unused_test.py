import pandas as pd
import pytest

from kfer.data.importing import describe, sources, unused
from kfer.data.importing.options import TableOptions

ROWS = {"image": ["a.png", "b.png"], "split": ["train", "test"], "label": ["x", "y"]}


def said(tmp_path, name="t.csv", rows=ROWS, **options):
    path, frame = tmp_path / name, pd.DataFrame(rows)
    if name.endswith(".csv"):
        frame.to_csv(path, index=False)
    elif name.endswith(".xlsx"):
        frame.to_excel(path, index=False)
    elif name.endswith(".jsonl"):
        frame.to_json(path, orient="records", lines=True)
    else:
        for folder in "xy":
            (path / folder).mkdir(parents=True)
            (path / folder / "a.jpg").touch()
    chosen = TableOptions(path=str(path), **options)
    found, made = sources.load(str(tmp_path), chosen)
    lines = [*unused.of(found, chosen)]
    assert set(lines) <= {*describe.describe(found, made, chosen).splitlines()}
    return lines


@pytest.mark.parametrize(
    ("name", "options", "flags"),
    [
        ("t.csv", {"sheet": "one", "class_folder": 2}, ["sheet", "class_folder"]),
        ("t.csv", {"delimiter": ",", "encoding": "utf-8"}, []),
        ("t.xlsx", {"delimiter": ";", "encoding": "cp1252"}, ["delimiter", "encoding"]),
        ("t.xlsx", {"sheet": "Sheet1"}, []),
        ("t.jsonl", {"encoding": "utf-8", "delimiter": ","}, ["delimiter"]),
        ("folder", {"class_folder": 1}, []),
        ("folder", {"sheet": "one", "encoding": "utf-8"}, ["sheet", "encoding"]),
        ("t.csv", {"splits": (0.2, 0.2), "order": "raf"}, ["splits", "order=raf"]),
    ],
)
def test_flags_that_make_no_difference_are_named(tmp_path, name, options, flags):
    found = said(tmp_path, name, **options)
    assert [line.split()[0] for line in found] == [f"--{flag}" for flag in flags]
    assert all(" has no effect: " in line for line in found)


def test_an_order_is_read_where_numbers_have_no_names(tmp_path):
    rows = {"image": ["a.png", "b.png"], "expression": ["1", "2"]}
    assert said(tmp_path, rows=rows, order="raf") == []
    listed = {"": [f"{i}:c{i}" for i in range(1, 3)]}
    assert said(tmp_path, "u.csv", rows=rows, order="raf", classes=listed) == [
        "--order=raf has no effect: no classes are numbers without names"
    ]
    values = {"image": ["a.png", "b.png"], "valence": ["1", "-1"]}
    assert said(tmp_path, "v.csv", rows=values, order="raf") != []
    lists = {"image": ["a.png", "b.png"], "shares": ["[0,1,0,0,0,0,0]"] * 2}
    assert said(tmp_path, "w.csv", rows=lists, order="raf") == []
