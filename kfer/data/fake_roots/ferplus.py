"""Writes a small FER+ in its two layouts; see ferplus.make_fake_root."""

import cv2
import numpy as np

from kfer.data.fake_roots import faces
from kfer.data.fake_roots.files import write_image, write_text

SPLITS = ("train", "train", "train", "valid", "test")
FOLDERS = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
USAGES = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}
VOTE_NAMES = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def write(root: str, count: int, rng: np.random.Generator, layout: str) -> list[str]:
    """See ferplus.make_fake_root."""
    rows = [_row(index, rng) for index in range(count)]
    if layout == "csv":
        _write_csvs(root, rows)
        return [name for name, _, _, _ in rows]
    ids = []
    for split, folder in FOLDERS.items():
        lines = []
        for name, of, image, votes in rows:
            if of == split:
                write_image(root, f"{folder}/{name}", image)
                lines.append(f'{name},"(0, 0, 48, 48)",{votes}\n')
                ids.append(name)
        write_text(root, f"{folder}/label.csv", "".join(lines))
    return ids


def _row(index: int, rng: np.random.Generator) -> tuple[str, str, np.ndarray, str]:
    image, _, _ = faces.face(rng, 48, 48)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    votes = np.zeros(10, int)
    votes[rng.integers(8)] = 5
    votes += np.bincount(rng.integers(0, 9, 5), minlength=10)
    name = f"fer{index:07d}.png"
    picture = np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    return name, SPLITS[index % len(SPLITS)], picture, ",".join(map(str, votes))


def _write_csvs(root: str, rows: list) -> None:
    pixels = ["emotion,pixels,Usage"]
    votes = [f"Usage,Image name,{VOTE_NAMES}"]
    for name, split, image, ballots in rows:
        text = " ".join(map(str, image[:, :, 0].ravel()))
        pixels.append(f'0,"{text}",{USAGES[split]}')
        votes.append(f"{USAGES[split]},{name},{ballots}")
    write_text(root, "fer2013.csv", "\n".join(pixels) + "\n")
    write_text(root, "fer2013new.csv", "\n".join(votes) + "\n")
