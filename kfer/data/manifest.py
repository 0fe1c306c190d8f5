"""The content of dataset.json and rejected.jsonl."""

import collections
import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from kfer.data import record as record_lib
from kfer.data.folder import MANIFEST
from kfer.data.record import Column, Rejected
from kfer.data.shards import ShardInfo, Tally
from kfer.errors import UserError
from kfer.storage import fetching, whole

FORMAT_VERSION = 1
REJECTED = "rejected.jsonl"


def content_hash(
    splits: Mapping[str, Iterable[ShardInfo]],
    columns: Mapping[str, Column],
    clean_columns: Mapping[str, Column],
) -> str:
    """SHA-256 over the shards' hashes and what the columns mean, in hex."""
    content = {
        "splits": {
            name: [(shard.file, shard.sha256) for shard in shards]
            for name, shards in splits.items()
        },
        "columns": {name: c.as_dict() for name, c in columns.items()},
        "clean_columns": {n: c.as_dict() for n, c in clean_columns.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _package_versions() -> dict[str, str]:
    from kfer import __version__

    packages = {
        name: importlib.metadata.version(name) for name in ("tensorflow", "numpy")
    }
    return {"kfer": __version__, "python": sys.version.split()[0], **packages}


def noise_table(
    tally: Tally, requested: Mapping[str, float] | None = None
) -> dict[str, dict[str, Any]]:
    """Label column -> noise rate asked for and got, of one split."""
    return {
        name: {
            "requested": (requested or {}).get(name),
            "achieved": differ / known,
            "compared": known,
        }
        for name, (differ, known) in sorted(tally.compared.items())
    }


def noise_text(row: Mapping[str, Any]) -> str:
    """A row of a noise table in words: a rate for classes, the errors for values."""
    if "achieved" in row:
        asked = row.get("requested")
        if asked is None and not row["achieved"]:
            return "no label differs from what counts as its truth"
        wanted = "" if asked is None else f", requested {asked:.2%}"
        return f"noise {row['achieved']:.2%}{wanted}"
    if row.get("rmse") and not any(row["rmse"]):
        return "no value differs from what counts as its truth"
    errors = {key: row[key] for key in ("rmse", "ccc", "bias") if row.get(key)}
    return "noise " + (
        ", ".join(
            f"{key} {' '.join(f'{value:.3f}' for value in values)}"
            for key, values in errors.items()
        )
        or "unknown"
    )


def build_manifest(
    name: str,
    splits: Mapping[str, list[ShardInfo]],
    tallies: Mapping[str, Tally],
    columns: Mapping[str, Column],
    clean_columns: Mapping[str, Column],
    *,
    command: str = "",
    image_format: str = "png",
    image_size: int = 0,
    noise: Mapping[str, float] | None = None,
    known_noise: Mapping[str, Mapping[str, Any]] | None = None,
    rejected: Mapping[str, int] | None = None,
    options: Mapping[str, Any] | None = None,
    notes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of dataset.json.

    Args:
      name: of the data set.
      splits: split -> its shards in order.
      tallies: split -> what was counted while they were written.
      columns, clean_columns: what the labels mean.
      command: that makes it.
      image_format, image_size: see Dataset.
      noise: label column -> noise rate that was asked for.
      known_noise: split -> label column -> row of the noise table, from a maker that
        knows a truth which the records don't hold.
      rejected: reason -> how many were set aside.
      options, notes: see Dataset.

    Raises:
      UserError: there is no record in any split.
    """
    _check_any(name, splits, rejected or {})
    columns = _with_longest(columns, tallies.values())
    tables = {
        split: {**noise_table(tally, noise), **(known_noise or {}).get(split, {})}
        for split, tally in tallies.items()
    }
    return {
        "format_version": FORMAT_VERSION,
        "record_version": record_lib.RECORD_VERSION,
        "name": name,
        "command": command,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": _package_versions(),
        "options": dict(options or {}),
        "notes": dict(notes or {}),
        "image_format": image_format,
        "image_size": image_size,
        "columns": {key: c.as_dict() for key, c in columns.items()},
        "clean_columns": {k: c.as_dict() for k, c in clean_columns.items()},
        "splits": {s: _split(shards, tallies[s]) for s, shards in splits.items()},
        "noise": {split: table for split, table in tables.items() if table},
        "rejected": dict(sorted((rejected or {}).items())),
        "content_hash": content_hash(splits, columns, clean_columns),
    }


def _check_any(
    name: str, splits: Mapping[str, list[ShardInfo]], rejected: Mapping[str, int]
) -> None:
    if not any(shard.num_records for shards in splits.values() for shard in shards):
        raise UserError(
            f"No example of {name} is left to write (set aside: "
            f"{dict(rejected) or 'none'}); check the source folder"
        )


def _split(shards: list[ShardInfo], tally: Tally) -> dict[str, Any]:
    return {
        "num_records": sum(shard.num_records for shard in shards),
        "shards": [dataclasses.asdict(shard) for shard in shards],
        "class_counts": dict(sorted(tally.counts.items())),
        "given": dict(sorted(tally.given.items())),
    }


def _with_longest(
    columns: Mapping[str, Column], tallies: Iterable[Tally]
) -> dict[str, Column]:
    """The columns, crowd columns with the most labels that a picture has."""
    longest: dict[str, int] = {}
    for tally in tallies:
        for name, count in tally.longest.items():
            longest[name] = max(count, longest.get(name, 0))
    return {
        name: dataclasses.replace(c, longest=longest.get(name, 0))
        for name, c in columns.items()
    }


def write_manifest(folder: str, manifest: Mapping[str, Any]) -> None:
    """Writes dataset.json, the last file of a data set; it names places, no copies."""
    text = fetching.shown(json.dumps(manifest, indent=1, ensure_ascii=False))
    whole.write_lines(os.path.join(folder, MANIFEST), [text])


def write_rejected(folder: str, rejected: Iterable[Rejected]) -> dict[str, int]:
    """Writes rejected.jsonl, one line for each; returns reason -> count."""
    counts: collections.Counter[str] = collections.Counter()

    def lines() -> Iterable[str]:
        for item in rejected:
            counts[item.reason] += 1
            yield fetching.shown(json.dumps(item._asdict(), ensure_ascii=False))

    whole.write_lines(os.path.join(folder, REJECTED), lines())
    return dict(counts)
