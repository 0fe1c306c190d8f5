"""The data sets of the tables: found prepared, made by a command, or drawn."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from kfer.data import folder
from kfer.errors import UserError
from kfer.experiments.cells import Scale
from kfer.settings.recipes import recipe_for
from kfer.storage import whole
from kfer.training import run_folder

# Standard deviation of the noise on FER+'s valence and arousal.
VA_NOISE = 0.2


def run_command(command: Sequence[str], log: str) -> None:
    """Runs a module of kfer.bin with its output in a file.

    Args:
      command: module and flags, such as ('data_main', 'make', ..).
      log: path; the output is added to it.

    Raises:
      UserError: it failed; with its last line.
    """
    words = [sys.executable, "-m", f"kfer.bin.{command[0]}", *command[1:]]
    with whole.appending(log) as file:
        done = subprocess.run(words, stdout=file, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise UserError(last_line(log))


def last_line(log: str) -> str:
    """The last line of a log that says something: a command's one-line error."""
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    return lines[-1] if lines else f"it said nothing; see {log}"


Maker = Callable[[str, Scale, int], list[str]]


def _cifar(name: str) -> Maker:
    def command(root: str, scale: Scale, seed: int) -> list[str]:
        flags = [f"--dataset={name}", f"--source_dir={root}", f"--seed={seed}"]
        return ["data_main", "make", *flags]

    return command


def _faces(crowd: str) -> Maker:
    def command(root: str, scale: Scale, seed: int) -> list[str]:
        flags = ["--dataset=synthetic_faces", f"--crowd={crowd}", f"--seed={seed}"]
        return ["data_main", "make", *flags]

    return command


def _ferplus(root: str, scale: Scale, seed: int) -> list[str]:
    # Pictures are 48 px; the paper's encoder takes 64.
    return [
        "preprocess_main",
        "--dataset=ferplus",
        f"--source_dir={os.path.join(root, 'ferplus')}",
        f"--image_size={scale.image_size or 64}",
        f"--va_from_votes={VA_NOISE}",
        "--majority_vote",
        f"--seed={seed}",
    ]


# Data set -> the command that makes it from the folder of raw data.
COMMANDS = {
    "cifar10": _cifar("cifar10"),
    "cifar10n": _cifar("cifar10n"),
    "ferplus": _ferplus,
    "faces": _faces("habits"),
    "faces_pairs": _faces("pairs"),
    "faces_sparse": _faces("sparse"),
    "faces_spammer": _faces("spammer"),
    "faces_judges": _faces("judges"),
}
# Of them, those that no raw data are read for.
DRAWN = tuple(name for name in COMMANDS if name.startswith("faces"))

# Those whose labels are flipped as a recipe says.
FLIPPED = ("cifar10",)

# Made by a model trained on another data set: found prepared, or drawn where a scale
# says how many pictures.
BASES = ("raf_base", "affectnet_base")


def prepare(
    name: str,
    data_root: str,
    out_dir: str,
    scale: Scale,
    log: str,
    seed: int = 0,
    recipe: str = "kfer",
) -> str:
    """The folder of a prepared data set, made on the first call.

    Args:
      name: a key of COMMANDS or one of BASES.
      data_root: folder with a prepared data set of that name, or with raw data:
        cifar-10-batches-py, cifar10n_human_labels.npz, ferplus; '' if there is none.
      out_dir: where it is made, in a folder of its name.
      scale: says how many examples.
      log: path for what the command says.
      seed: of simulated labels and drawn pictures; 0 is the data of the tables, and
        any other's folders are called <name>-seed<seed>.
      recipe: says how CIFAR-10's labels are flipped.

    Raises:
      UserError: the data are missing, damaged or of other flips; in one line, for the
        table.
    """
    flip = recipe_for(recipe, name).flip
    named = f"{name}-seed{seed}" if seed else name
    found = os.path.join(data_root, named)
    made = os.path.join(out_dir, named)
    for place in (found if data_root else "", made):
        if place and os.path.isfile(os.path.join(place, folder.MANIFEST)):
            return _with_flip(place, name, flip)
    if name in BASES:
        return _draw(name, data_root, made, scale, seed)
    if not data_root and name not in DRAWN:
        raise UserError(f"no --data_root to read {name} from")
    flags = [f"--num_{split}={count}" for split, count in scale.examples.items()]
    command = COMMANDS[name](data_root, scale, seed)
    if name in FLIPPED:
        flags.append(f"--flip={flip}")
    run_command([*command, f"--out_dir={made}", *flags], log)
    return made


def _with_flip(place: str, name: str, flip: str) -> str:
    """The folder, if its labels are flipped so."""
    if name not in FLIPPED:
        return place
    manifest = run_folder.read_json(os.path.join(place, folder.MANIFEST))
    made = manifest.get("options", {}).get("flip", flip)
    if made != flip:
        raise UserError(
            f"{place} was made with flip={made}, and the recipe has {flip}; make it "
            f"with kfer-data make --flip={flip}"
        )
    return place


def _draw(name: str, data_root: str, out_dir: str, scale: Scale, seed: int) -> str:
    if not scale.examples:
        place = os.path.join(data_root or "--data_root", name)
        raise UserError(
            f"no prepared data set in {place}; make it with the "
            f"pipeline {name} (docs/guide/pipelines.md), from pictures and a teacher"
        )
    from kfer.experiments import drawn_faces

    drawn_faces.make(
        name,
        out_dir,
        num_train=scale.examples["train"],
        num_test=min(2000, scale.examples["test"]),
        seed=seed,
        command=f"kfer-experiments --scale={scale.name}",
    )
    return out_dir
