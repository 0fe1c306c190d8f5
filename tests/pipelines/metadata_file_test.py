"""Each way in which a metadata file can be unusable has its line."""

import sqlite3

import pytest

from kfer.errors import UserError
from pipelines import metadata_file

VERSION = "1.15.1"


@pytest.fixture
def path(tmp_path):
    """A file as ML Metadata writes it, with one artifact of this TFX."""
    found = str(tmp_path / "metadata.sqlite")
    with sqlite3.connect(found) as connection:
        connection.execute("CREATE TABLE MLMDEnv (schema_version INTEGER)")
        connection.execute("INSERT INTO MLMDEnv VALUES (10)")
        connection.execute(
            "CREATE TABLE ArtifactProperty (name TEXT, string_value TEXT)"
        )
        connection.execute(
            "INSERT INTO ArtifactProperty VALUES ('tfx_version', ?)", (VERSION,)
        )
    connection.close()
    return found


def change(path, statement):
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def test_a_good_file_and_none(path, tmp_path):
    metadata_file.check(path, VERSION)
    metadata_file.check(str(tmp_path / "none"), VERSION)


def test_the_file_of_a_real_run(first):
    root, _, _ = first
    metadata_file.check(f"{root}/metadata.sqlite", VERSION)
    with pytest.raises(UserError, match="was written by TFX 1.15.1, installed is 1.16"):
        metadata_file.check(f"{root}/metadata.sqlite", "1.16.0")


def test_another_schema(path):
    change(path, "UPDATE MLMDEnv SET schema_version = 11")
    with pytest.raises(UserError, match="schema version 11, this TFX 1.15.1 reads 10"):
        metadata_file.check(path, VERSION)


def test_a_locked_file(path, monkeypatch):
    monkeypatch.setattr(metadata_file, "_SECONDS", 0.1)
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(UserError, match="is locked by another program"):
            metadata_file.check(path, VERSION)
    finally:
        holder.close()


@pytest.mark.parametrize("kept", [0, 50, 5000])
def test_a_truncated_file(path, kept):
    with open(path, "r+b") as file:
        file.truncate(kept)
    with pytest.raises(UserError, match="is no whole ML Metadata file"):
        metadata_file.check(path, VERSION)


def test_another_kind_of_file(tmp_path):
    (tmp_path / "metadata.sqlite").write_text("not a database, but long enough" * 9)
    with pytest.raises(UserError, match="is no whole ML Metadata file"):
        metadata_file.check(str(tmp_path / "metadata.sqlite"), VERSION)
    other = str(tmp_path / "other.sqlite")
    change(other, "CREATE TABLE mine (a INTEGER)")
    with pytest.raises(UserError, match="no such table: MLMDEnv"):
        metadata_file.check(other, VERSION)
