"""The folder of one run: who it belongs to and what is noted in it."""

import contextlib
import datetime
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import kfer
from kfer.data import shard_files
from kfer.errors import UserError
from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig
from kfer.storage import fetching, staging, whole

CONFIG = "config.json"
VERSIONS = "versions.json"
HISTORY = "history.jsonl"
METRICS = "metrics.json"
SAMPLES = "samples"
MODEL = "model"

PRECISION = "mixed_precision"
WEIGHTS = "encoder_weights"
FLOAT32 = config_lib.PRECISIONS[0]

_PACKAGES = ("tensorflow", "keras", "tf-keras", "numpy")  # those installed


def claim(
    run_dir: str,
    config: ExperimentConfig,
    dataset: Any,
    command: str = "",
    precision: str = FLOAT32,
    weights: str = "",
) -> None:
    """Makes the folder this run's, or checks that it already is.

    Args:
      run_dir: new, empty or of the same run.
      config: of the run.
      dataset: the prepared data set it learns from.
      command: that started it.
      precision: what layers multiply in, one of config.PRECISIONS.
      weights: that the encoder starts from, see `weights_id`.

    Raises:
      UserError: the folder belongs to something else, to a run with another config,
        precision or start or to one on other data, or can't be written.
    """
    with whole.disk(run_dir):
        os.makedirs(run_dir, exist_ok=True)
        if not os.path.exists(os.path.join(run_dir, CONFIG)):
            begun = {PRECISION: precision, WEIGHTS: weights}
            _claim_new(run_dir, config, versions(dataset, command) | begun)
    check(run_dir, config, dataset, precision, weights)
    staging.deliver_early(run_dir)


def check(
    run_dir: str,
    config: ExperimentConfig,
    dataset: Any,
    precision: str = FLOAT32,
    weights: str = "",
) -> None:
    """Raises UserError if the folder is claimed by another run; see `claim`."""
    if not os.path.exists(os.path.join(run_dir, CONFIG)):
        return
    found = load_config(run_dir)
    if changed := config_lib.differences(found, config):
        raise UserError(
            f"{run_dir} belongs to a run with other settings ({'; '.join(changed)}); "
            "use those, or another --out_dir"
        )
    noted = read_json(os.path.join(run_dir, VERSIONS))
    # Runs of earlier versions didn't note it.
    if (begun := noted.get(PRECISION, precision)) != precision:
        raise UserError(
            f"{run_dir} belongs to a run in {begun}, and its steps in {precision} "
            f"would be another's; go on with --{PRECISION}={begun}, or use another "
            "--out_dir"
        )
    if (begun := noted.get(WEIGHTS, weights)) != weights:
        raise UserError(
            f"{run_dir} belongs to a run whose encoder started from {_start(begun)}, "
            f"not from {_start(weights)}; go on with the --{WEIGHTS} it began with, or "
            "use another --out_dir"
        )
    data = noted["data"]["content_hash"]
    if data != dataset.content_hash:
        raise UserError(
            f"{run_dir} belongs to a run on other data ({data[:12]}, {dataset.root} is "
            f"{dataset.content_hash[:12]}); use that data, or another --out_dir"
        )


def weights_id(weights: str) -> str:
    """What identifies an encoder's start: '' its seed, a name, or a file's SHA-256.

    Args:
      weights: as RunSettings has them.
    """
    return shard_files.sha256(weights) if os.path.isfile(weights) else weights


def _start(weights: str) -> str:
    if len(weights) == 64:  # a SHA-256; no name is that long
        return f"a file with SHA-256 {weights[:12]}"
    return weights or "its seed"


def _claim_new(run_dir: str, config: ExperimentConfig, noted: dict[str, Any]) -> None:
    # A data set prepared for the run may already lie inside.
    others = [
        name
        for name in os.listdir(run_dir)
        if name not in ("data", VERSIONS) and not whole.is_leftover(name)
    ]
    if others:
        few = ", ".join(sorted(others)[:3])
        raise UserError(
            f"{run_dir} holds files of something else ({few}); "
            "choose an empty --out_dir"
        )
    whole.write_json(os.path.join(run_dir, VERSIONS), noted)
    whole.write_json(os.path.join(run_dir, CONFIG), config_lib.to_dict(config))


def load_config(run_dir: str) -> ExperimentConfig:
    """The config of a run; UserError if the folder is none or is damaged."""
    path = os.path.join(run_dir, CONFIG)
    if not os.path.isfile(path):
        raise UserError(f"{run_dir} is no run folder: it has no {CONFIG}")
    return config_lib.from_dict(read_json(path))


def versions(dataset: Any, command: str) -> dict[str, Any]:
    """What the run was made with."""
    return {
        "kfer": kfer.__version__,
        "python": sys.version.split()[0],
        **_installed(),
        "commit": commit(),
        "command": command,
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "data": {
            "root": fetching.origin(dataset.root),
            "name": dataset.name,
            "content_hash": dataset.content_hash,
            "noise": dataset.noise,
            "framing": dataset.notes.get("framing"),
        },
    }


def _installed() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def commit() -> str:
    """The commit of kfer's sources, with '+' if they were changed; '' if not in git."""
    here = os.path.dirname(os.path.abspath(__file__))

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", here, *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        changed = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
        head = git("rev-parse", "HEAD")
    except OSError:
        return ""
    return head + changed if head else ""


def read_json(path: str) -> Any:
    """A JSON file's content; UserError if it is missing or damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"Can't read {path}: {error}") from error


def read_history(run_dir: str, up_to: int | None = None) -> list[dict[str, Any]]:
    """The evaluations of a run in order of their step; a cut last line is dropped.

    Raises:
      UserError: another line is damaged.
    """
    path = os.path.join(run_dir, HISTORY)
    rows: dict[int, dict[str, Any]] = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                rows[int(row["step"])] = row
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                if number < len(lines):
                    raise UserError(
                        f"{path}:{number} is no evaluation; the file is damaged"
                    ) from None
    return [rows[s] for s in sorted(rows) if up_to is None or s <= up_to]


def write_history(run_dir: str, rows: Sequence[dict[str, Any]]) -> None:
    """Replaces the history, whole or not at all."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    whole.write_text(os.path.join(run_dir, HISTORY), text)
