"""The commands that are killed: how each is started and what it must leave."""

import dataclasses
import glob
import hashlib
import json
import os
import pathlib
import sys
from collections.abc import Callable

import numpy as np

Content = dict[str, str]
_TINY = (
    *("--set=gan_start_epoch=-1", "--set=noise_size=8", "--set=embedding_size=64"),
    *("--set=width=0.125", "--set=batch_size=8"),
)


@dataclasses.dataclass(frozen=True)
class Command:
    """One command and what it makes.

    Attributes:
      words: of the process, given the folder for what it makes.
      content: name -> hash of what lies in that folder; empty where there is nothing
        that counts as made.
      refused: statuses with which it may end where the disk refuses.
    """

    words: Callable[[str], list[str]]
    content: Callable[[str], Content]
    refused: tuple[int, ...] = (2,)


def _kfer(name: str, *words: str) -> list[str]:
    return [sys.executable, "-m", f"kfer.bin.{name}_main", *words]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files_of(folder: str, but: tuple[str, ...] = ()) -> Content:
    """Path -> hash of every file below a folder, without those named in `but`."""
    found = {}
    for path in sorted(glob.glob(f"{folder}/**", recursive=True)):
        if os.path.isfile(path) and os.path.basename(path) not in but:
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = _sha256(file.read())
    return found


def weights_of(folder: str) -> Content:
    """Run and variable -> hash, of the last checkpoint of each finished run below."""
    import tensorflow as tf

    found = {}
    for metrics in sorted(glob.glob(f"{folder}/**/metrics.json", recursive=True)):
        run = os.path.dirname(metrics)
        if not (indices := glob.glob(f"{run}/checkpoints/*.index")):
            continue
        reader = tf.train.load_checkpoint(max(indices).removesuffix(".index"))
        for name in reader.get_variable_to_shape_map():
            if not name.startswith(("_CHECKPOINTABLE", "save_counter")):
                value = np.asarray(reader.get_tensor(name))
                found[f"{os.path.relpath(run, folder)} {name}"] = _sha256(
                    value.tobytes()
                )
    return found


def _data_set(folder: str) -> Content:
    """A data set's files, dataset.json by its content hash, as it says when."""
    path = os.path.join(folder, "dataset.json")
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as file:
        made = {"dataset.json": json.load(file)["content_hash"]}
    return files_of(folder, ("dataset.json",)) | made


def _published(folder: str) -> Content:
    """The newest version's variables; AssertionError if another version is half one."""
    versions = sorted(filter(str.isdecimal, os.listdir(folder)), key=int)
    whole = [files_of(os.path.join(folder, v)) for v in versions]
    if len({tuple(sorted(one)) for one in whole}) > 1:
        raise AssertionError(f"versions of {folder} differ in their files")
    newest = whole[-1] if whole else {}
    # The graph holds names that TensorFlow numbers as it likes.
    kept = ("variables/", "assets/labels.json")
    return {name: value for name, value in newest.items() if name.startswith(kept)}


def make_inputs(folder: str) -> None:
    """Makes what the commands read."""
    from kfer.data import datasets
    from kfer.data.datasets import raf
    from tests.data.datasets import cifar_roots

    os.makedirs(folder, exist_ok=True)
    raf.make_fake_root(f"{folder}/raf", 40, np.random.default_rng(0))
    limit = {"train": 64, "test": 16}
    datasets.make(
        "synthetic_faces", "", f"{folder}/data", datasets.ReaderOptions(limit=limit)
    )
    cifar_roots.make(pathlib.Path(folder) / "cifar")


def known(folder: str) -> dict[str, Command]:
    """The commands, whose inputs lie in a folder."""
    return {
        "preprocess": _preprocess(folder),
        "train": _train(folder),
        "publish": _publish(folder),
        "experiments": _experiments(folder),
        "pipeline": _pipeline(),
    }


def _preprocess(folder: str) -> Command:
    flags = ("--dataset=raf", f"--source_dir={folder}/raf", "--image_size=32")
    return Command(
        lambda out: _kfer(
            "preprocess", *flags, "--processes=1", f"--out_dir={out}/set"
        ),
        lambda out: _data_set(f"{out}/set"),
    )


def _train(folder: str) -> Command:
    flags = ("--experiment=synthetic_faces", "--method=vgg_all", "--deterministic")
    flags += (*_TINY, "--steps=12", "--eval_every=3", "--noexport")
    flags += (f"--data_dir={folder}/data",)
    return Command(
        lambda out: _kfer("train", *flags, f"--out_dir={out}/run"), weights_of
    )


def _publish(folder: str) -> Command:
    flags = (f"--run={folder}/run", "--calibrate_on=none")
    return Command(lambda out: _kfer("export", *flags, f"--publish={out}"), _published)


def _experiments(folder: str) -> Command:
    flags = ("--steps=6", "--eval_every=2", "--batch_size=8", "--deterministic")
    cell = (
        "--table=1",
        "--methods=vgg_all",
        "--seeds=1",
        f"--data_root={folder}/cifar",
    )
    cell += tuple(f"--train_flag={flag}" for flag in flags)
    return Command(
        lambda out: _kfer("experiments", "run", *cell, f"--out_dir={out}/cells"),
        weights_of,
        (1, 2),  # 1 where a cell failed, which is noted, and others go on
    )


def _pipeline() -> Command:
    flags = ("--pipeline=synthetic_faces", "--steps=6", *_TINY, "--num_train=60")
    flags += ("--num_test=20", "--minimum=expression/accuracy=0")
    return Command(
        lambda out: _kfer("pipeline", "run", *flags, f"--root={out}/root"), weights_of
    )


def train_for_publishing(commands: dict[str, Command], folder: str) -> list[str]:
    """The command that makes the run which `publish` exports."""
    return [
        word.replace("--steps=12", "--steps=3")
        for word in commands["train"].words(folder)
    ]
