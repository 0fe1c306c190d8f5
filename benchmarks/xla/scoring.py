"""Scores on the test split and pictures by the decoder, from the modules' outputs."""

from typing import Any

import batches as batches_lib
import concordance
import jax
import numpy as np


class Test:
    """The test split and its truth.

    Args:
      data: of data.npz.
      config: of map.json.
    """

    def __init__(self, data: Any, config: dict[str, Any]):
        self.size = config["batch_size"]
        self.order = config["recipe"]["channel_order"]
        self.images = batches_lib.read_images(data, "test")
        self.truth = batches_lib.columns(data, "test")
        self.kinds = {task["target"]: task["kind"] for task in config["tasks"]}

    def scores(self, module: Any, values: list[jax.Array]) -> dict[str, Any]:
        """target -> 'accuracy', or 'ccc' (mean over dimensions), and 'count'."""
        found = self._answers(module, values)
        scored = {}
        for name, answer in found.items():
            if f"labels/{name}" not in self.truth:
                continue
            given = self.truth[f"mask/{name}"] > 0
            answer, truth = answer[given], self.truth[f"labels/{name}"][given]
            if self.kinds[name] == "categorical":
                score = {"accuracy": float(np.mean(answer.argmax(1) == truth))}
            else:
                score = {"ccc": float(np.mean(concordance.ccc(truth, answer)))}
            scored[name] = {**score, "count": int(given.sum())}
        return scored

    def _answers(self, module: Any, values: list[jax.Array]) -> dict[str, np.ndarray]:
        """target -> [N, size]; the last batch is filled up, and cut again."""
        parts = []
        for begin in range(0, len(self.images), self.size):
            rows = np.arange(begin, begin + self.size) % len(self.images)
            image = batches_lib.normalise(self.images[rows], self.order)
            parts.append(module({"image": image}, values))
        return {
            name: np.concatenate([np.asarray(part[name]) for part in parts])[
                : len(self.images)
            ]
            for name in parts[0]
        }


def draw(module: Any, values: list[jax.Array], config: dict[str, Any]) -> np.ndarray:
    """One column a class of the first class task, one y0 a row (at most 6).

    Class tasks of as many classes agree, others are missing; continuous labels have
    the middle of their range.

    Returns:
      uint8 [rows, K, S, S, 3] RGB; one column where there are no classes.
    """
    tasks = [task for task in config["tasks"] if task["stream"]]
    sizes = {t["name"]: len(t["classes"]) for t in tasks if t["classes"]}
    count = next(iter(sizes.values()), 1)
    batch, side = config["batch_size"], config["image_size"]
    column = np.arange(batch) % count
    labels = {}
    for task in tasks:
        if task["classes"]:
            same = sizes[task["name"]] == count
            eye = np.eye(count) if same else np.zeros((count, sizes[task["name"]]))
            labels[f"labels/{task['name']}"] = np.float32(eye[column])
        else:
            middle = (task["low"] + task["high"]) / 2
            shape = (batch, len(task["dimensions"]))
            labels[f"labels/{task['name']}"] = np.full(shape, middle, np.float32)
    random = np.random.default_rng(config["seed"])
    y0 = random.standard_normal((batch // count + 1, config["noise_size"]), np.float32)
    drawn = module({"y0": y0[np.arange(batch) // count], **labels}, values)["image"]
    rows = min(6, batch // count)
    pixels = np.clip(np.round((np.asarray(drawn) + 1) * 127.5), 0, 255)
    pixels = pixels[: rows * count].reshape(rows, count, side, side, 3)
    bgr = config["recipe"]["channel_order"] == "bgr"
    return pixels[..., :: -1 if bgr else 1].astype(np.uint8)
