"""Rows, cells and what a table is narrowed to."""

from kfer.experiments import tables
from kfer.experiments.cells import Cell
from kfer.experiments.table import Entry


def test_the_cells_of_a_table_come_once_and_seed_by_seed():
    found = tables.TABLES["2"].cells(range(2))
    assert len(found) == len(set(found)) == 2 * 14
    assert found[0] == Cell("raf_single", "vgg_all", 0)
    assert [cell.seed for cell in found] == [0] * 14 + [1] * 14


def test_a_table_narrowed_to_methods_keeps_their_entries_alone():
    table = tables.table_of("3").narrowed(["joint", "vgg_all"])
    assert set(table.rows) == set(tables.table_of("3").rows)
    assert {entry.method for entry in table.entries} == {"joint", "vgg_all"}
    assert len(table.heads) == len(next(iter(table.rows.values())))
    assert tables.table_of("field_cifar10").narrowed(["em"]).rows.keys() == {
        "EM in the loop"
    }
    assert tables.table_of("1").narrowed([]) is tables.table_of("1")


def test_a_field_takes_methods_that_it_has_no_row_of():
    table = tables.table_of("field_ferplus").narrowed(["em", "ltnet+sce"])
    assert list(table.rows) == ["EM in the loop", "ltnet+sce"]
    assert table.rows["ltnet+sce"] == (
        Entry("ferplus", "ltnet+sce", "expression", "accuracy"),
        Entry("ferplus", "ltnet+sce", "valence_arousal", "ccc"),
    )
    assert table.cells([3])[1].key == "ferplus-ltnet+sce-3"
    # The paper's tables have the paper's rows.
    assert not tables.table_of("3").narrowed(["ltnet+sce"]).rows
