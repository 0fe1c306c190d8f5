"""Drawn faces in the official layouts of RAF-DB and AffectNet, in two styles.

RAF-DB's faces are drawn in ink with hatching, small in wide pictures; AffectNet's are
soft, coloured and close. So a model of one is a poor judge of the other.
"""

import numpy as np

from kfer.data import drawn_faces as faces
from kfer.data import label_orders
from kfer.data.fake_roots.affectnet import HEADER, csv_row, landmarks
from kfer.data.fake_roots.files import write_image, write_text

SIDE = 72


def raf(root, count, seed=1):
    """Every fourth face is of the test split; the list tells the drawn expression."""
    order = label_orders.ORDERS["raf"]
    numbers = {order.to_kfer(number): number for number in range(1, 8)}
    lines = []
    for index in range(count):
        params = faces.sample_face(faces.face_rng(seed, index), faces.INK)
        name = f"test_{index:04d}" if index % 4 == 3 else f"train_{index:05d}"
        lines.append(f"{name}.jpg {numbers[params.label]}")
        write_image(root, f"Image/original/{name}.jpg", faces.draw(params, SIDE))
        points = [*faces.eyes(params, SIDE), *[(0.0, 0.0)] * 3]
        text = "".join(f"{x:.4f}\t{y:.4f}\n" for x, y in points)
        write_text(root, f"Annotation/manual/{name}_manu_attri.txt", text)
        x, y, width, height = faces.box(params, SIDE)
        box = f"{x:.2f} {y:.2f} {x + width:.2f} {y + height:.2f} "
        write_text(root, f"Annotation/boundingbox/{name}_boundingbox.txt", box)
    write_text(root, "EmoLabel/list_patition_label.txt", "\n".join(lines) + "\n")


def affectnet(root, count, seed=2):
    """Every fourth face is of the validation set."""
    tables = {"training.csv": [HEADER], "validation.csv": [HEADER]}
    for index in range(count):
        params = faces.sample_face(faces.face_rng(seed, index), faces.SOFT)
        table = "validation.csv" if index % 4 == 3 else "training.csv"
        name = f"{index % 3}/{index:06x}.jpg"
        picture = faces.draw(params, SIDE)
        write_image(root, f"Manually_Annotated_Images/{name}", picture)
        points = landmarks(tuple(faces.eyes(params, SIDE)))
        values = (float(v) for v in faces.valence_arousal(params))
        labels = (params.label, *values)
        tables[table].append(csv_row(name, faces.box(params, SIDE), points, labels))
    for table, lines in tables.items():
        write_text(root, table, "\n".join(lines) + "\n")


def gap(root_a, root_b):
    """How far two folders' pictures lie apart: mean saturation of each."""
    import glob

    import cv2

    found = []
    for root in (root_a, root_b):
        paths = sorted(glob.glob(f"{root}/**/*.jpg", recursive=True))
        pictures = [cv2.imread(path).astype(np.float64) for path in paths]
        found.append(np.mean([p.max(2) - p.min(2) for p in pictures]))
    return found
