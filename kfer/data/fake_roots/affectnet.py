"""Writes a small AffectNet in its official layouts; see affectnet.make_fake_root."""

import io

import numpy as np

from kfer.data.fake_roots import faces
from kfer.data.fake_roots.files import write_bytes, write_image, write_text
from kfer.images.alignment import Point

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)


def write(root: str, count: int, rng: np.random.Generator, layout: int) -> list[str]:
    """See affectnet.make_fake_root."""
    ids: dict[str, list[str]] = {"train": [], "test": []}
    tables: dict[str, list[str]] = {"train": [HEADER], "test": [HEADER]}
    for index in range(count):
        split = "test" if index % 4 == 3 else "train"
        image, eyes, box = faces.face(rng, *(int(v) for v in rng.integers(90, 160, 2)))
        labels = (int(rng.integers(8)), *rng.uniform(-1, 1, 2).round(4).tolist())
        if layout == 2021:
            folder = "train_set" if split == "train" else "val_set"
            write_image(root, f"{folder}/images/{index}.jpg", image)
            _annotate(root, f"{folder}/annotations/{index}", labels, landmarks(eyes))
            ids[split].append(f"{folder}/{index}")
        else:
            name = f"{index % 3}/{index:06x}.jpg"
            write_image(root, f"Manually_Annotated_Images/{name}", image)
            tables[split].append(csv_row(name, box, landmarks(eyes), labels))
            ids[split].append(name)
    if layout == 2017:
        for split, file in (("train", "training.csv"), ("test", "validation.csv")):
            write_text(root, file, "\n".join(tables[split]) + "\n")
    return ids["train"] + ids["test"]


def landmarks(eyes: tuple[Point, ...]) -> np.ndarray:
    """[68, 2] points whose eye outlines have the given centres."""
    ring = 3 * np.array([(np.cos(a), np.sin(a)) for a in np.arange(6) * np.pi / 3])
    points = np.tile(np.mean(eyes, axis=0), (68, 1))
    points[36:42], points[42:48] = eyes[0] + ring, eyes[1] + ring
    return points


def csv_row(name: str, box: tuple, points: np.ndarray, labels: tuple) -> str:
    """One line of training.csv."""
    joined = ";".join(f"{value:.2f}" for value in points.ravel())
    return ",".join([name, *map(str, box), joined, *map(str, labels)])


def _annotate(root: str, prefix: str, labels: tuple, points: np.ndarray) -> None:
    # The official files hold labels as text in arrays without dimensions.
    arrays = {
        name: np.array(str(v))
        for name, v in zip(("exp", "val", "aro"), labels, strict=True)
    }
    for name, array in (arrays | {"lnd": points.ravel()}).items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        write_bytes(root, f"{prefix}_{name}.npy", buffer.getvalue())
