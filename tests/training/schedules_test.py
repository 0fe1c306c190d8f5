import numpy as np
import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.settings.optimization import Optimization
from kfer.training import schedules


def factors(steps, **fields):
    at = schedules.factor(Optimization(**fields))
    return [float(at(tf.constant(step, tf.int64))) for step in steps]


def test_constant_has_none():
    assert schedules.factor(Optimization()) is None


def test_one_cycle_by_hand():
    # of 100 steps 23 rise from 0.2 to 1, 77 fall to 0.07
    found = factors((0, 23, 100, 500), schedule="one_cycle", total_steps=100)
    assert found == pytest.approx([0.2, 1.0, 0.07, 0.07])
    half = factors((10, 23 + 11), schedule="one_cycle", total_steps=100)
    assert half == pytest.approx([0.2 + 0.8 * 10 / 23, 1 - 0.93 * 11 / 77])


def test_one_cycle_equals_the_reference_s_interpolation():
    total = 476
    expected = np.interp(
        np.arange(1 + total), [0, int(0.23 * total), total], [0.2, 1.0, 0.07]
    )
    found = factors(range(1 + total), schedule="one_cycle", total_steps=total)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_cosine_by_hand():
    found = factors(
        (0, 50, 100, 200),
        schedule="cosine",
        total_steps=100,
        warmup_share=0.0,
        final_factor=0.1,
    )
    assert found == pytest.approx([1.0, 0.55, 0.1, 0.1], rel=1e-5)


def test_cosine_with_a_warm_up():
    fields = {"schedule": "cosine", "total_steps": 10, "warmup_share": 0.2}
    assert factors((0, 1, 2), **fields) == pytest.approx([0.2, 0.6, 1.0])
    # a quarter of the 8 steps after it
    quarter = 0.07 + 0.93 * (1 + np.cos(np.pi / 4)) / 2
    assert factors((4,), **fields) == pytest.approx([quarter], rel=1e-5)


@pytest.mark.parametrize("schedule", ("cosine", "one_cycle"))
def test_without_a_number_of_steps(schedule):
    with pytest.raises(UserError, match=f"Schedule '{schedule}' needs total_steps"):
        schedules.factor(Optimization(schedule=schedule))
