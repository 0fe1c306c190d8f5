"""Whether what dataset.json says is of the kinds that it should be."""

from typing import Any

from kfer.data.record import CLEAN, LABEL

# Key of dataset.json -> what its value is.
_KINDS = {
    "name": str,
    "columns": dict,
    "clean_columns": dict,
    "splits": dict,
    "noise": dict,
    "rejected": dict,
    "content_hash": str,
    "image_format": str,
    "image_size": int,
    "command": str,
    "options": dict,
    "notes": dict,
    "versions": dict,
    "created": str,
}
_SHARD = {"file": str, "num_records": int, "num_bytes": int, "sha256": str}


def check(manifest: Any) -> None:
    """Checks a parsed dataset.json.

    Raises:
      ValueError: something is of another kind, or counts don't add up; it is named.
    """
    _of(manifest, dict, "the file")
    for key, kind in _KINDS.items():
        if key in manifest:
            _of(manifest[key], kind, key)
    for key in ("columns", "clean_columns"):
        for name, column in manifest.get(key, {}).items():
            _column(column, f"{key}.{name}")
    sizes = {
        prefix + name: len(column.get("classes", ()))
        for key, prefix in (("columns", LABEL), ("clean_columns", CLEAN))
        for name, column in manifest.get(key, {}).items()
    }
    for name, split in manifest.get("splits", {}).items():
        _split(split, f"splits.{name}", sizes)


def _of(value: Any, kind: type, where: str) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{where} is a {type(value).__name__}, not a {kind.__name__}")


def _counts(values: Any, where: str) -> None:
    for value in values:
        _of(value, int, where)
        if value < 0:
            raise ValueError(f"{where} is {value}, below 0")


def _column(column: Any, where: str) -> None:
    _of(column, dict, where)
    for part in ("classes", "dimensions"):
        _of(column.get(part, []), list, f"{where}.{part}")
        for name in column.get(part, []):
            _of(name, str, f"{where}.{part}")
    for end in ("low", "high"):
        if not isinstance(column.get(end, 0.0), int | float):
            raise ValueError(f"{where}.{end} is no number")


def _split(split: Any, where: str, sizes: dict[str, int]) -> None:
    """Checks one split; `sizes` has the number of classes by feature."""
    _of(split, dict, where)
    _of(split["shards"], list, f"{where}.shards")
    for shard in split["shards"]:
        _of(shard, dict, f"{where}.shards")
        for key, kind in _SHARD.items():
            _of(shard[key], kind, f"{where}.shards.{key}")
    _of(split["class_counts"], dict, f"{where}.class_counts")
    for key, counts in split["class_counts"].items():
        _of(counts, list, f"{where}.class_counts.{key}")
        _counts(counts, f"{where}.class_counts.{key}")
        if len(counts) != sizes.get(key):
            raise ValueError(
                f"{where}.class_counts.{key} has {len(counts)} counts, its column has "
                f"{sizes.get(key)} classes"
            )
    _of(split["given"], dict, f"{where}.given")
    _counts(split["given"].values(), f"{where}.given")
    total = sum(shard["num_records"] for shard in split["shards"])
    _counts([split["num_records"]], f"{where}.num_records")
    if total != split["num_records"]:
        raise ValueError(
            f"{where}.num_records is {split['num_records']}, its shards have {total}"
        )
