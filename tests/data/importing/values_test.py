import numpy as np
import pytest

from kfer.data.importing import values
from kfer.errors import UserError


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("0.5", "", 0.5),
        (" -0,25 ", "", -0.25),
        ("1e-3", "", 1e-3),
        ("+7", "", 7.0),
        ("1.234,5", "", None),
        ("0,5", ".", None),
        ("0.5", ",", 0.5),
        ("nan", "", None),
        ("1e999", "", None),
        ("1" * 5000, "", None),
        ("٣", "", None),
        ("", "", None),
    ],
)
def test_number(text, decimal, expected):
    assert values.number(text, decimal) == expected


def test_a_comma_that_could_part_thousands_is_asked_about():
    with pytest.raises(UserError, match="'1,234' of 'x' could be a fraction or"):
        values.check_decimal(["1,234", "7"], "x", "")
    values.check_decimal(["1,234", "0,5"], "x", "")
    values.check_decimal(["0,125"], "x", "")
    values.check_decimal(["1,234"], "x", ",")


def test_rescaled_takes_ends_to_ends():
    found = values.rescaled(np.array([1.0, 5.0, 9.0]), (1.0, 9.0), (-1.0, 1.0))
    np.testing.assert_allclose(found, [-1.0, 0.0, 1.0])
