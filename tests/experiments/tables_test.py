"""The tables hold the paper's numbers and name cells that exist."""

import pathlib

import pytest

from kfer import methods
from kfer.errors import UserError
from kfer.experiments import cells, tables
from kfer.experiments.table import Entry
from kfer.metrics import suite
from kfer.settings import config


def printed(table, row):
    return [entry and entry.printed for entry in tables.TABLES[table].rows[row]]


def test_the_paper_s_numbers():
    one = {row: entries[0].printed for row, entries in tables.TABLES["1"].rows.items()}
    assert one == {
        "VGGNet, clean labels": 88.55,
        "VGGNet, majority vote": 82.36,
        "VGGNet": 80.23,
        "AIR": 76.37,
        "SCE": 86.34,
        "Co-teaching": 84.21,
        "LTNet": 87.23,
        "Proposed": 87.90,
    }
    assert printed("2", "single-task SCE") == [73.96, 42.87, None, None]
    assert printed("2", "single-task Proposed") == [74.02, 44.52, 0.6354, 0.1284]
    assert printed("2", "multi-task VGGNet") == [73.15, 43.36, 0.6263, 0.1354]
    assert printed("3", "Single-label CIFAR-10") == [77.82, 77.93, 83.65, 83.51, 84.78]
    assert printed("3", "Multi-task RAF-base") == [73.15, 73.24, 74.40, 74.46, 76.10]


@pytest.mark.parametrize("table", tables.TABLES.values(), ids=tables.TABLES)
def test_entries_name_what_exists(table):
    for entry in table.entries:
        named = cells.SETTINGS[entry.setting].experiment or "synthetic_faces"
        experiment = config.EXPERIMENTS[named]
        task = next(t for t in experiment.tasks if t.target == entry.target)
        assert task.is_categorical == (entry.measure in suite.OF_CLASSES)
        assert entry.method in methods.METHODS
    assert all(len(row) == len(table.heads) for row in table.rows.values())


def test_every_method_stands_in_a_table():
    used = {entry.method for table in tables.TABLES.values() for entry in table.entries}
    # One is about several annotators' values, which no table has; kfer is em there, and
    # docs/design/game.md has what the game adds to it.
    assert set(methods.METHODS) - used == {
        *("va_annotators", "kfer", "joint_alone", "joint_em", "joint_em_without_gx")
    }


def test_an_unknown_table():
    with pytest.raises(UserError, match="Unknown table '4'; known: 1, 2, 3"):
        tables.table_of("4")


def test_the_bases_are_compared_by_each_setting_s_own_cells():
    table = tables.table_of("field_bases")
    assert table.rows["Huber"] == (
        Entry("raf_multi", "huber", "expression", "accuracy"),
        Entry("raf_multi", "huber", "valence_arousal", "ccc"),
        Entry("affectnet_multi", "huber", "expression", "accuracy"),
        Entry("affectnet_multi", "huber", "valence_arousal", "ccc"),
    )
    assert len(table.cells([0])) == 2 * len(table.rows)


def test_the_guide_lists_every_table():
    guide = pathlib.Path(__file__).parents[2] / "docs" / "guide" / "experiments.md"
    text = guide.read_text(encoding="utf-8")
    assert [name for name in tables.TABLES if f"`{name}`" not in text] == []
