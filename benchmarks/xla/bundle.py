"""Packs Table 1's rows for a host that has an accelerator and jax: one file.

python benchmarks/xla/bundle.py --source_dir=RAW --pictures=cifar10_jpeg.tar.xz \
    --work_dir=DIR --out=table1.tar.xz

RAW is the official CIFAR-10, decoded from the JPEGs in --pictures (train/00000_6.jpg
and so on). --work_dir keeps the prepared data sets, which a second call takes as they
are, and the exported rows, which it makes anew. On the host:

tar -xf table1.tar.xz && python3 bundle/resume.py --out=DIR --minutes=9
"""

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from typing import Any

from absl import flags

from kfer.bin import common
from kfer.errors import UserError
from kfer.settings import config as config_lib
from kfer.settings.parsing import parse_settings
from kfer.storage import whole

FLAGS = flags.FLAGS
HERE = os.path.dirname(os.path.abspath(__file__))

# What the host runs, and reads the results with.
RUNNER = (
    "resume.py",
    "run_step.py",
    "module.py",
    "batches.py",
    "scoring.py",
    "concordance.py",
    "initial.py",
    "pack.py",
)
# recipe.flip -> how the data set is made. Seed 100 draws the 2021 experiment's labels.
LABELS = {
    "exclusive": ["--flip=exclusive"],
    "inclusive": ["--flip=inclusive", "--seed=100"],
}

flags.DEFINE_string("source_dir", "", "Folder of the raw CIFAR-10.")
flags.DEFINE_string("pictures", "", "Tar of the JPEGs that it was decoded from.")
flags.DEFINE_string("work_dir", "", "Folder of prepared data sets and exported rows.")
flags.DEFINE_string("out", "", "The .tar.xz to write.")
flags.DEFINE_string("experiment", "cifar10_multi", "Of three simulated label sets.")
flags.DEFINE_list("recipes", ["paper", "authors_2021", "kfer"], "In order.")
flags.DEFINE_list("methods", ["joint", "vgg_all", "vgg_clean"], "In order.")
flags.DEFINE_list("set", [], "Other settings than the paper's, such as width=0.25.")
flags.DEFINE_float("limit_mib", 60.0, "Largest size of the file.", 0.0)


def main(argv: Sequence[str]) -> int:
    needed = ("source_dir", "pictures", "work_dir", "out")
    if len(argv) > 1 or not all(getattr(FLAGS, name) for name in needed):
        raise UserError(f"Name --{', --'.join(needed)}; there is nothing but flags")
    began = time.perf_counter()
    configs = {
        (recipe, method): config_lib.experiment_config(
            FLAGS.experiment, recipe, method, **parse_settings(FLAGS.set)
        )
        for recipe in FLAGS.recipes
        for method in FLAGS.methods
    }
    flips = dict.fromkeys(config.recipe.flip for config in configs.values())
    folders = {flip: prepared(flip) for flip in flips}
    write_pictures(next(iter(folders.values())))
    rows = []
    for (recipe, method), config in configs.items():
        name = f"{recipe}-{method}"
        export(name, recipe, method, folders[config.recipe.flip])
        rows.append({"name": name, "recipe": recipe, "method": method})
    config = next(iter(configs.values()))
    size = write(rows, {"epochs": config.epochs, "rows": rows})
    seconds = time.perf_counter() - began
    names = [row["name"] for row in rows]
    print(json.dumps({"mib": size / 2**20, "rows": names, "seconds": seconds}))
    return 0


def prepared(flip: str) -> str:
    """The folder of the data set with such labels, made on the first call."""
    folder = os.path.join(FLAGS.work_dir, flip)
    if not os.path.isdir(folder):
        dataset = config_lib.EXPERIMENTS[FLAGS.experiment].dataset
        run(
            *("-m", "kfer.bin.data_main", "make", f"--dataset={dataset}"),
            *(f"--source_dir={FLAGS.source_dir}", f"--out_dir={folder}", *LABELS[flip]),
        )
    return folder


def write_pictures(data_dir: str) -> None:
    """pictures.npz beside the rows, for all data sets: they differ in labels alone."""
    import numpy as np
    import pictures

    from kfer.data import dataset as dataset_lib

    os.makedirs(rows_folder(), exist_ok=True)
    path = os.path.join(rows_folder(), "pictures.npz")
    arrays = pictures.of_archive(dataset_lib.load(data_dir), FLAGS.pictures)
    with whole.writing(path) as file:
        np.savez(file, **arrays)


def rows_folder() -> str:
    """Where the exported rows lie."""
    return os.path.join(FLAGS.work_dir, "rows")


def export(name: str, recipe: str, method: str, data_dir: str) -> None:
    """The modules of one row, in a process of its own: the nets are large."""
    run(
        os.path.join(HERE, "export_step.py"),
        f"--experiment={FLAGS.experiment}",
        f"--recipe={recipe}",
        f"--method={method}",
        f"--data_dir={data_dir}",
        f"--out_dir={os.path.join(rows_folder(), name)}",
        "--images=apart",
        *([f"--set={','.join(FLAGS.set)}"] if FLAGS.set else []),
    )


def run(*words: str) -> None:
    """A command of Python's.

    Raises:
      UserError: it failed; with its last line.
    """
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise UserError(said[-1] if said else f"{' '.join(words)} failed")


def write(rows: Sequence[dict[str, Any]], content: dict[str, Any]) -> int:
    """The file; gives its bytes.

    Raises:
      UserError: it is larger than --limit_mib.
    """
    listing = os.path.join(FLAGS.work_dir, "bundle.json")
    whole.write_json(listing, content)
    with whole.writing(FLAGS.out) as file:
        with tarfile.open(fileobj=file, mode="w:xz") as archive:
            archive.add(listing, "bundle/bundle.json")
            for name in RUNNER:
                archive.add(os.path.join(HERE, name), f"bundle/{name}")
            for name in ("pictures.npz", *(row["name"] for row in rows)):
                archive.add(os.path.join(rows_folder(), name), f"bundle/rows/{name}")
        size = file.tell()
        if size > FLAGS.limit_mib * 2**20:
            raise UserError(
                f"The bundle is {size / 2**20:.1f} MiB, more than --limit_mib="
                f"{FLAGS.limit_mib:g}; take fewer --recipes or --methods"
            )
    return size


if __name__ == "__main__":
    common.run(main)
