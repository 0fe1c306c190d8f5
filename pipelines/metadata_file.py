"""Whether a SQLite file can be used as ML Metadata, before TFX finds out worse."""

import os
import sqlite3

from kfer.errors import UserError

# What ml-metadata 1.15 writes.
SCHEMA_VERSION = 10
_SECONDS = 2.0


def check(path: str, tfx_version: str) -> None:
    """Raises UserError if the file is locked, damaged or of another version.

    Args:
      path: of the file; nothing is wrong if it doesn't exist yet.
      tfx_version: what is installed.
    """
    if not os.path.exists(path):
        return
    try:
        _check(path, tfx_version)
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise UserError(
                f"{path} is locked by another program; end it or wait, then run the "
                "same command again"
            ) from error
        raise UserError(
            f"{path} is no whole ML Metadata file ({error}); restore it from a copy, "
            "or move its folder away and start anew"
        ) from error


def _check(path: str, tfx_version: str) -> None:
    connection = sqlite3.connect(path, timeout=_SECONDS)
    try:
        connection.execute("BEGIN IMMEDIATE").close()
        connection.rollback()
        (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state.splitlines()[-1])
        if not os.path.getsize(path):
            raise sqlite3.DatabaseError("it is empty")
        (version,) = connection.execute("SELECT schema_version FROM MLMDEnv").fetchone()
        others = connection.execute(
            "SELECT DISTINCT string_value FROM ArtifactProperty "
            "WHERE name = 'tfx_version' AND string_value != ?",
            (tfx_version,),
        ).fetchall()
    finally:
        connection.close()
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{path} has ML Metadata's schema version {version}, this TFX "
            f"{tfx_version} reads {SCHEMA_VERSION}; use the TFX that wrote it, or "
            "another folder"
        )
    if others:
        raise UserError(
            f"{path} was written by TFX {others[0][0]}, installed is {tfx_version}; "
            "use that version, or another folder"
        )
