import numpy as np
import pandas as pd

from kfer.data.importing import table


def test_values_as_text():
    values = [None, float("nan"), 2.0, 0.5, "x", [1, [2]], np.array([1.0]), pd.NaT]
    found = [table.cell_text(value) for value in values]
    assert found == ["", "", "2", "0.5", "x", "1;2", "1", ""]
