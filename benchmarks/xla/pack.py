"""The encoder in bfloat16, in files small enough to be carried off a host (NumPy).

python benchmarks/xla/pack.py --state=DIR --out_dir=DIR

--out_dir gets encoder-0.npy, encoder-1.npy .. (uint16, the upper halves of float32),
encoder.json (names, shapes, step) and curves.jsonl. import_run.py reads it in place of
--state: enough to evaluate, export and predict, not to train on.
"""

import argparse
import json
import os
import shutil
import sys

import numpy as np

INDEX = "encoder.json"
PART_BYTES = 15 << 20


def to_bfloat16(values: np.ndarray) -> np.ndarray:
    """float32 -> uint16: rounded to 8 bits of mantissa, ties to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def to_float32(bits: np.ndarray) -> np.ndarray:
    """Inverse of to_bfloat16, but for the rounding."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def pack(state_dir: str, out_dir: str, part_bytes: int = PART_BYTES) -> None:
    """Writes the files; see the module's docstring.

    Args:
      state_dir: of run_step.py.
      out_dir: new or to be overwritten.
      part_bytes: largest size of a part.
    """
    os.makedirs(out_dir, exist_ok=True)
    with (
        np.load(os.path.join(state_dir, "weights.npz")) as weights,
        np.load(os.path.join(state_dir, "state.npz")) as state,
    ):
        chosen = {n: weights[n] for n in weights if " encoder/" in n}
        step = int(state["step"])
    flat = np.concatenate([to_bfloat16(value).ravel() for value in chosen.values()])
    parts = np.split(flat, range(part_bytes // 2, len(flat), part_bytes // 2))
    for number, part in enumerate(parts):
        np.save(os.path.join(out_dir, f"encoder-{number}.npy"), part)
    shapes = {name: value.shape for name, value in chosen.items()}
    index = {"step": step, "parts": len(parts), "shapes": shapes}
    with open(os.path.join(out_dir, INDEX), "w", encoding="utf-8") as file:
        json.dump(index, file, indent=1)
    shutil.copy(os.path.join(state_dir, "curves.jsonl"), out_dir)


def unpack(folder: str) -> tuple[int, dict[str, np.ndarray]]:
    """The step, and the encoder's variables by name as float32."""
    with open(os.path.join(folder, INDEX), encoding="utf-8") as file:
        index = json.load(file)
    paths = [
        os.path.join(folder, f"encoder-{number}.npy")
        for number in range(index["parts"])
    ]
    flat = to_float32(np.concatenate([np.load(path) for path in paths]))
    sizes = [int(np.prod(shape)) for shape in index["shapes"].values()]
    arrays = np.split(flat, np.cumsum(sizes)[:-1])
    return index["step"], {
        name: array.reshape(shape)
        for (name, shape), array in zip(index["shapes"].items(), arrays, strict=True)
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", required=True, help="what run_step.py wrote")
    parser.add_argument("--out_dir", required=True, help="folder to write")
    flags = parser.parse_args(argv)
    pack(flags.state, flags.out_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
