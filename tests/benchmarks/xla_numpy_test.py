"""What needs NumPy alone: starting values, the encoder in bfloat16 and in parts."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "xla"))
import concordance
import initial
import pack

from kfer.metrics import continuous


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


def test_rules_by_hand():
    def value(shape, **start):
        row = {"name": "x", "shape": shape, "dtype": "float32", "start": start}
        return initial.value(row, 0, 7)

    assert value([2], rule="Constant", value=0.5).tolist() == [0.5, 0.5]
    uniform = value([1000], rule="RandomUniform", minval=-0.2, maxval=0.1)
    assert -0.2 <= uniform.min() < -0.19 and 0.09 < uniform.max() < 0.1
    # fan in 3 * 3 * 2 = 18; a normal cut at 2 reaches 2 / 0.8796 deviations.
    cut = value([3, 3, 2, 500], rule="HeNormal")
    assert cut.std() == pytest.approx((2 / 18) ** 0.5, rel=0.03)
    assert np.abs(cut).max() <= 2 / 0.87962566 * (2 / 18) ** 0.5
    unit = value([4, 1, 6], rule="_UnitNormal")
    np.testing.assert_allclose((unit**2).sum(-1), np.ones((4, 1)), rtol=1e-6)
    assert (
        value([5], rule="RandomNormal", mean=0.0, stddev=1.0)
        == np.random.default_rng([0, 7]).standard_normal(5, np.float32)
    ).all()
    with pytest.raises(ValueError, match="Unknown rule 'Orthogonal' of x"):
        value([1], rule="Orthogonal")


@pytest.mark.parametrize("size", (1, 2, 7, 500))
def test_concordance_is_that_of_kfer(size):
    random = np.random.default_rng(size)
    truth = random.uniform(-1, 1, (size, 4)).astype(np.float32)
    answer = 0.5 * truth + 0.3 * random.normal(size=truth.shape).astype(np.float32)
    # Both constant and alike, and one of them constant.
    truth[:, 2:], answer[:, 2] = 1 / 3, 1 / 3
    found = concordance.ccc(truth, answer)
    np.testing.assert_allclose(found, continuous.ccc(truth, answer), rtol=1e-12)
    assert found[2] == 0 and np.all(np.isfinite(found))
