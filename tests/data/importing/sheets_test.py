import pandas as pd
import pytest

from kfer.data.importing import reading
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


def test_one_sheet_of_several_is_named(tmp_path):
    frame = pd.DataFrame({"image": ["a.png", "b.png"], "valence": [1.0, 0.25]})
    with pd.ExcelWriter(tmp_path / "two.xlsx") as book:
        frame.to_excel(book, "one", index=False)
        frame.to_excel(book, "two", index=False)
    with pytest.raises(UserError, match="name the --sheet"):
        reading.read(str(tmp_path / "two.xlsx"), TableOptions())
    named = reading.read(str(tmp_path / "two.xlsx"), TableOptions(sheet="two"))
    assert len(named.cells) == 2
