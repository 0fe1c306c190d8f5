"""A crowd's values: sorted people, errors against the truth, what can't be said."""

import json

import numpy as np

from kfer.audit import crowd_tables, crowd_values
from kfer.crowd.triples import Values
from kfer.data.record import Column
from tests.crowd import values_test

NAMES = tuple(f"w{a:03d}" for a in range(100))
COLUMN = Column("v", "continuous", dimensions=("v",), low=-9, high=9, annotators=NAMES)


def test_a_crowd_of_values():
    truth, *_, given = values_test.simulate()
    found, (account,) = crowd_values.of_column([given], COLUMN, truth[:, None])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    (row,) = found["consensus"]
    assert row["rmse"] < 0.6 * row["rmse_of_mean"]
    spreads = [r["spread"][0] for r in found["annotators"] if r["spread"]]
    assert len(spreads) == 100 and spreads == sorted(spreads)
    assert account.converged and found["notes"] == []
    head, people = crowd_tables.tables(found)
    assert len(people.rows) == 40 and head.rows[0][0] == "v"


def test_few_values_and_no_shared_picture():
    alone = Values(np.arange(5), np.arange(5), np.arange(5.0), 5, 100)
    found, _ = crowd_values.of_column([alone], COLUMN, None)
    assert found["annotators"] == [] and "no two annotators share" in found["notes"][0]
    shared = Values(np.zeros(5, int), np.arange(5), np.arange(5.0), 1, 100)
    found, _ = crowd_values.of_column([shared], COLUMN, None)
    assert all(row["bias"] is None for row in found["annotators"])
    people = list(crowd_tables.tables(found))[1]
    assert people.rows[0][3] == crowd_tables.TOO_FEW
    none = Values(*(np.array([], t) for t in (int, int, float)), 1, 100)
    assert crowd_values.of_column([none], COLUMN, None) is None
