import numpy as np

from kfer.data.datasets import ReaderOptions, table


def test_a_fake_root_is_read(tmp_path):
    made = table.make_fake_root(str(tmp_path), 5, np.random.default_rng(0))
    options = ReaderOptions(table=vars(made))
    rows = list(table.read(str(tmp_path), options))
    assert [row.image_id for row in rows] == [f"photos/{i}.png" for i in range(5)]
    columns = table.columns_in(str(tmp_path), options)
    assert list(columns) == ["annotator_ann", "annotator_bob", "annotator_eve"]
    assert all(set(row.labels) == set(columns) for row in rows)
    assert table.clean_columns_in(str(tmp_path), options) == {}
    assert table.columns(options) == table.clean_columns(options) == {}
