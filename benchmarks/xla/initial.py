"""Starting values by rule: NumPy alone, the same on every machine.

Variable i of map.json draws from numpy.random.default_rng([seed, i]) (PCG64), in
float32, in the shape's row-major order:

  Zeros, Ones, Constant   no draw
  RandomUniform           uniform in [minval, maxval)
  RandomNormal            mean + stddev * standard normal
  HeNormal                standard normal, drawn again where it is beyond 2, times
                          sqrt(2 / fan in) / 0.87962566103423978; fan in = product of
                          all dimensions but the last
  _UnitNormal             standard normal, then each row of the last dimension is
                          divided by its length

The distributions are kfer's, the numbers are not: TensorFlow draws others.
"""

import math
from typing import Any

import numpy as np

# Of the standard normal cut at +-2: its standard deviation.
_CUT_DEVIATION = 0.87962566103423978


def value(row: dict[str, Any], seed: int, index: int) -> np.ndarray:
    """The first value of a variable.

    Args:
      row: of map.json's variables: shape, dtype and start.
      seed: of the run.
      index: of the row.
    """
    start, shape = row["start"], row["shape"]
    random = np.random.default_rng([seed, index])
    kind = start["rule"]
    if kind in ("Zeros", "Ones", "Constant"):
        constant = {"Zeros": 0, "Ones": 1, "Constant": start.get("value")}[kind]
        return np.full(shape, constant, row["dtype"])
    if kind == "RandomUniform":
        low, high = np.float32(start["minval"]), np.float32(start["maxval"])
        return low + (high - low) * random.random(shape, np.float32)
    if kind == "HeNormal":
        scale = math.sqrt(2.0 / math.prod(shape[:-1])) / _CUT_DEVIATION
        return np.float32(scale) * _cut_normal(random, shape)
    drawn = random.standard_normal(shape, np.float32)
    if kind == "RandomNormal":
        return np.float32(start["mean"]) + np.float32(start["stddev"]) * drawn
    if kind == "_UnitNormal":
        return drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)
    raise ValueError(f"Unknown rule {kind!r} of {row['name']}")


def _cut_normal(random: np.random.Generator, shape: list[int]) -> np.ndarray:
    drawn = random.standard_normal(shape, np.float32)
    while (beyond := np.abs(drawn) > 2.0).any():
        drawn[beyond] = random.standard_normal(beyond.sum(), np.float32)
    return drawn
