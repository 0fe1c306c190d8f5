"""The encoder in bfloat16 and in parts."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "xla"))
import pack  # noqa: E402


def test_bfloat16_by_hand():
    """1 + 2^-8 lies between 1 and 1 + 2^-7: ties go to the even one."""
    values = np.array([1.0, 1 + 2**-8, 1 + 3 * 2**-8, -0.1], np.float32)
    bits = pack.to_bfloat16(values)
    assert bits[:2].tolist() == [0x3F80, 0x3F80]
    back = pack.to_float32(bits)
    assert back[:3].tolist() == [1.0, 1.0, 1 + 2**-6]
    assert back[3] == pytest.approx(-0.1, rel=2**-8)


def test_the_encoder_is_split_and_put_together(tmp_path):
    random = np.random.default_rng(0)
    weights = {
        "0000 encoder/a:0": random.normal(size=(3, 5)).astype(np.float32),
        "0001 decoder/b:0": np.ones(4, np.float32),
        "0002 encoder/c:0": random.normal(size=(7,)).astype(np.float32),
    }
    np.savez(tmp_path / "weights.npz", **weights)
    np.savez(tmp_path / "state.npz", step=np.int64(9))
    (tmp_path / "curves.jsonl").write_text("{}\n")
    out = tmp_path / "packed"
    pack.pack(str(tmp_path), str(out), part_bytes=20)
    # 22 values of 2 bytes in parts of 20.
    assert len(list(out.glob("encoder-*.npy"))) == 3
    step, arrays = pack.unpack(str(out))
    assert step == 9 and list(arrays) == ["0000 encoder/a:0", "0002 encoder/c:0"]
    for name, array in arrays.items():
        np.testing.assert_allclose(array, weights[name], rtol=2**-8)
