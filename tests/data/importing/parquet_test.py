import subprocess

import pandas as pd
import pytest

from kfer.data.importing import parquet
from kfer.errors import UserError


def test_what_pandas_reads(tmp_path):
    path = str(tmp_path / "t.parquet")
    frame = pd.DataFrame(
        {"a": ["x", None, "é"], "b": [1, 2, 3], "c": [0.5, None, -1.0]},
        index=[7, 8, 9],
    )
    frame["when"] = pd.to_datetime(["2026-01-01", None, "2026-03-01"])
    frame.to_parquet(path)
    pd.testing.assert_frame_equal(parquet.read(path), pd.read_parquet(path))


def test_a_broken_file_is_one_line(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(UserError, match=r"can't be read as Parquet: Arrow\w+: .+") as e:
        parquet.read(str(path))
    assert len(str(e.value).splitlines()) == 1


def test_a_reader_that_dies_is_one_line(monkeypatch):
    run = subprocess.run
    died = ["-c", "import os; os.abort()"]
    monkeypatch.setattr(
        subprocess, "run", lambda words, **how: run([words[0], *died], **how)
    )
    with pytest.raises(UserError, match="its reader ended with status -6"):
        parquet.read("t.parquet")
    died[1] = "import time; time.sleep(60)"
    monkeypatch.setattr(parquet, "SECONDS", 0.2)
    with pytest.raises(UserError, match=r"can't be read as Parquet in 0\.2 s"):
        parquet.read("t.parquet")
