"""What the golden files were computed from, by the rules of tests/goldens/README.md."""

import os
import zlib
from pathlib import Path

import numpy as np

from kfer.settings.config import ExperimentConfig, experiment_config
from kfer.structures import Batch, Noise

HERE = Path(__file__).resolve().parents[1] / "goldens"


def golden_files() -> list[Path]:
    """Every golden in the repository and in the folder KFER_GOLDEN_DIR names."""
    folders = [HERE]
    if os.environ.get("KFER_GOLDEN_DIR"):
        folders.append(Path(os.environ["KFER_GOLDEN_DIR"]))
    found = {path.name: path for folder in folders for path in folder.glob("*.npz")}
    return [found[name] for name in sorted(found)]


def draw(name: str, seed: int, shape: tuple[int, ...], plus: int = 0) -> np.ndarray:
    """Standard normal values that depend on the parameter's name alone."""
    state = (zlib.crc32(name.encode()) + plus + seed * 7919) % 2**32
    return np.random.RandomState(state).standard_normal(shape)


def weight(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """The golden's value of a parameter, float32, in PyTorch layout."""
    if name.endswith("gamma"):
        return np.float32(0.5)
    n = draw(name, seed, shape)
    if ".bn" in name and name.endswith("weight"):
        return (1 + 0.1 * n).astype(np.float32)
    if len(shape) == 1:
        return (0.05 * n).astype(np.float32)
    gain = np.sqrt(2.0) if name.startswith("encoder.") and "conv" in name else 1.0
    fan = np.prod(shape[1:])
    if "deconv" in name:
        fan = shape[0] * shape[2] * shape[3] / 4
    return (gain * n / np.sqrt(fan)).astype(np.float32)


def leading_vector(name: str, value: np.ndarray) -> np.ndarray:
    """The left singular vector that the power iteration starts at."""
    axes = (1, 0, 2, 3) if "deconv" in name else tuple(range(value.ndim))
    matrix = value.transpose(axes).reshape(value.shape[axes[0]], -1).astype(np.float64)
    _, vectors = np.linalg.eigh(matrix @ matrix.T)
    return vectors[:, -1].astype(np.float32)


def config_of(golden: dict) -> ExperimentConfig:
    """The experiment a golden file belongs to."""
    batch, size, seed, lambda_gan, steps = golden["config"]
    name = "cifar10_multi" if "y1" in golden else "raf_multi"
    return experiment_config(
        name,
        "authors_2021",
        batch_size=int(batch),
        image_size=int(size),
        seed=int(seed),
        lambda_gan=float(lambda_gan),
        discriminator_steps=int(steps),
        dropout_rate=0.0,
        gan_start_epoch=-1,
    )


def weights_of(golden: dict, seed: int) -> dict[str, np.ndarray]:
    """All parameters and the power iterations' starts."""
    arrays = {}
    for name, text in zip(
        golden["parameter_names"], golden["parameter_shapes"], strict=True
    ):
        shape = tuple(int(n) for n in text.strip("()").split(",") if n.strip())
        arrays[str(name)] = weight(str(name), shape, seed)
        if name.endswith("weight_orig"):
            u_name = str(name).replace("weight_orig", "weight_u")
            arrays[u_name] = leading_vector(str(name), arrays[str(name)])
    return arrays


def batch_of(golden: dict, step: int, config: ExperimentConfig) -> Batch:
    """The batch of training step `step`: the same images, that step's noise."""
    columns = {
        "annotator_1": "y1",
        "annotator_2": "y2",
        "annotator_3": "y3",
        "valence_arousal": "va",
        "expression": "expression",
    }
    labels = {
        task.name: golden[columns[task.name]].astype(
            np.int32 if task.is_categorical else np.float32
        )
        for task in config.tasks
    }
    size = len(golden["x"])
    return Batch(
        image=golden["x"],
        labels=labels,
        mask={name: np.ones(size, np.float32) for name in labels},
        noise=Noise(
            golden["eps_encoder"][step],
            golden["y0_decoder"][step],
            np.ones((size, 2 * config.embedding_size), np.float32),
        ),
        index=np.arange(size),
    )
