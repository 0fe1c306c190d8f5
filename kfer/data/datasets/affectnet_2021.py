"""The 2021 layout of AffectNet: one .npy file for each label; see affectnet."""

import os
from collections.abc import Iterator

import numpy as np

from kfer.data import affectnet_labels, reasons
from kfer.data.record import RawExample, Rejected

SPLITS = {"train": "train_set", "test": "val_set"}
SUFFIXES = ("exp", "val", "aro")
# A label is one number and landmarks are 136: whatever is larger isn't one of them.
MAX_NPY_BYTES = 64 * 1024
EXTENSIONS = (".jpg", ".jpeg", ".png")


def is_layout(root: str) -> bool:
    """Whether the folder has a train_set or val_set with annotations."""
    return any(
        os.path.isdir(os.path.join(root, folder, "annotations"))
        for folder in SPLITS.values()
    )


def read(root: str, num_classes: int) -> Iterator[RawExample | Rejected]:
    """Every id that has an image or an annotation, in order of the ids."""
    for split, folder in SPLITS.items():
        base = os.path.join(root, folder)
        images = {}
        for name in sorted(_listed(os.path.join(base, "images"))):
            stem, extension = os.path.splitext(name)
            if extension.lower() in EXTENSIONS:
                images.setdefault(stem, name)
        annotated = {
            name.rsplit("_", 1)[0]
            for name in _listed(os.path.join(base, "annotations"))
            if name.endswith(".npy") and "_" in name
        }
        for stem in sorted(set(images) | annotated, key=_natural):
            name = images.get(stem, f"{stem}.jpg")
            yield _example(root, folder, split, stem, name, num_classes)


def _listed(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def _natural(stem: str) -> tuple[int, int, str]:
    # isdecimal, not isdigit: int() reads only the former.
    return (0, int(stem), stem) if stem.isdecimal() else (1, 0, stem)


def _example(
    root: str, folder: str, split: str, stem: str, image: str, num_classes: int
) -> RawExample | Rejected:
    image_id = f"{folder}/{stem}"
    source = f"{folder}/annotations/{stem}_exp.npy:1"
    prefix = os.path.join(root, folder, "annotations", stem)
    try:
        texts = [str(_load(f"{prefix}_{suffix}.npy").item()) for suffix in SUFFIXES]
        labels = affectnet_labels.parse_labels(*texts, num_classes)
        landmarks = f"{prefix}_lnd.npy"
        eyes = ()
        if os.path.isfile(landmarks):
            eyes = affectnet_labels.eyes_of(_load(landmarks).astype(np.float64))
    except affectnet_labels.SetAside as error:
        return Rejected(image_id, error.reason, error.detail, source)
    except FileNotFoundError as error:
        name = os.path.basename(error.filename)
        return Rejected(image_id, reasons.MISSING_ANNOTATION, f"no file {name}", source)
    except Exception as error:
        # np.load raises whatever its header parser stumbles over.
        detail = f"{type(error).__name__}: {error}"
        return Rejected(image_id, reasons.BAD_ANNOTATION, detail, source)
    path = f"{folder}/images/{image}"
    return RawExample(image_id, split, path, labels, dict(labels), source, eyes)


def _load(path: str) -> np.ndarray:
    if os.path.getsize(path) > MAX_NPY_BYTES:
        raise ValueError(
            f"{os.path.basename(path)} is larger than {MAX_NPY_BYTES} bytes"
        )
    return np.load(path, allow_pickle=False)
