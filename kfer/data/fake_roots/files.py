"""Writing the files of a fake root."""

import os

import numpy as np

from kfer.images import decode


def write_image(root: str, path: str, image: np.ndarray) -> None:
    """Writes a uint8 [H, W, 3] RGB picture; '.png' is lossless, else JPEG."""
    image_format = "png" if path.endswith(".png") else "jpeg"
    write_bytes(root, path, decode.encode(image, image_format))


def write_text(root: str, path: str, text: str) -> None:
    """Writes a UTF-8 text file, line ends as they are."""
    write_bytes(root, path, text.encode())


def write_bytes(root: str, path: str, data: bytes) -> None:
    """Writes a file and the folders above it."""
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
