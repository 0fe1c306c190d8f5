"""Digests change with what they stand for, and with nothing else."""

import os
import shutil

import pytest

from kfer.errors import UserError
from kfer.lineage import digest


@pytest.fixture
def package(tmp_path):
    (tmp_path / "one" / "part").mkdir(parents=True)
    (tmp_path / "one" / "a.py").write_text("x = 1\n")
    (tmp_path / "one" / "part" / "b.py").write_text("y = 2\n")
    return tmp_path / "one"


def test_code_digest_sees_a_changed_line_and_name(package):
    before = digest.of_code([str(package)])
    assert len(before) == 16 and before == digest.of_code([str(package)])
    (package / "part" / "b.py").write_text("y = 3\n")
    changed = digest.of_code([str(package)])
    (package / "part" / "b.py").rename(package / "part" / "c.py")
    assert len({before, changed, digest.of_code([str(package)])}) == 3


def test_code_digest_ignores_comments_and_docstrings(package):
    before = digest.of_code([str(package)])
    (package / "a.py").write_text('"""What it is."""\n\nx  =  1  # one\n')
    assert digest.of_code([str(package)]) == before
    (package / "a.py").write_text('y = """What it is."""\nx = 1\n')
    assert digest.of_code([str(package)]) != before


def test_code_digest_ignores_compiled_files_and_the_place(package, tmp_path):
    before = digest.of_code([str(package)])
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "a.cpython-311.py").write_text("compiled")
    (package / "notes.txt").write_text("no code")
    os.utime(package / "a.py", (1, 1))
    shutil.copytree(package, tmp_path / "other" / "one")
    assert digest.of_code([str(package)]) == before
    assert digest.of_code([str(tmp_path / "other" / "one")]) == before


def test_raw_data_digest_sees_size_time_and_name(package):
    found = {digest.of_raw_data(str(package))}
    (package / "a.py").write_text("x = 11\n")
    found.add(digest.of_raw_data(str(package)))
    os.utime(package / "a.py", (5, 5))
    found.add(digest.of_raw_data(str(package)))
    (package / "a.py").rename(package / "z.py")
    found.add(digest.of_raw_data(str(package)))
    assert len(found) == 4


def test_no_raw_data(tmp_path):
    with pytest.raises(UserError, match="There is no folder .*none to read raw data"):
        digest.of_raw_data(str(tmp_path / "none"))
    with pytest.raises(UserError, match="holds no file"):
        digest.of_raw_data(str(tmp_path))
