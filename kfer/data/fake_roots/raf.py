"""Writes a small RAF-DB in the official layout; see raf.make_fake_root."""

import numpy as np

from kfer.data.fake_roots import faces
from kfer.data.fake_roots.files import write_image, write_text


def write(
    root: str, count: int, rng: np.random.Generator, aligned: bool, last_newline: bool
) -> list[str]:
    """See raf.make_fake_root."""
    lines = []
    for index in range(count):
        name = f"test_{index + 1:04d}" if index % 4 == 3 else f"train_{index + 1:05d}"
        lines.append(f"{name}.jpg {rng.integers(1, 8)}")
        if aligned:
            image, _, _ = faces.face(rng, 100, 100)
            write_image(root, f"Image/aligned/{name}_aligned.jpg", image)
        else:
            _write_original(root, name, rng, automatic_only=index % 5 == 4)
    write_text(
        root,
        "EmoLabel/list_patition_label.txt",
        "\n".join(lines) + "\n" * last_newline,
    )
    return [line.split()[0] for line in lines]


def _write_original(
    root: str, name: str, rng: np.random.Generator, automatic_only: bool
) -> None:
    image, eyes, box = faces.face(rng, *(int(v) for v in rng.integers(90, 160, 2)))
    write_image(root, f"Image/original/{name}.jpg", image)
    points = [*eyes, (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)]
    manual = "".join(f"{x:.6f}\t{y:.6f}\n" for x, y in points) + "1\n0\n2\n"
    if not automatic_only:
        write_text(root, f"Annotation/manual/{name}_manu_attri.txt", manual)
    ring = 3 * np.array([(np.cos(a), np.sin(a)) for a in np.arange(6) * np.pi / 3])
    automatic = np.zeros((37, 2))
    automatic[13:19], automatic[19:25] = eyes[0] + ring, eyes[1] + ring
    text = "".join(f"{x:.6f}\t{y:.6f}\n" for x, y in automatic)
    write_text(root, f"Annotation/auto/{name}_auto_attri.txt", text)
    x, y, width, height = box
    write_text(
        root,
        f"Annotation/boundingbox/{name}_boundingbox.txt",
        f"{x} {y} {x + width} {y + height} ",
    )
