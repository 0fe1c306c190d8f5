import pytest

from kfer.errors import UserError
from kfer.settings import parsing


def test_values_are_json_where_they_parse_as_such():
    texts = ["width=0.5", "shuffle=false", "update_order=generator_first", "a=b=c"]
    assert parsing.parse_settings(texts) == {
        "width": 0.5,
        "shuffle": False,
        "update_order": "generator_first",
        "a": "b=c",
    }


@pytest.mark.parametrize("text", ("width", "=3", ""))
def test_what_is_no_setting(text):
    with pytest.raises(UserError, match="Settings are name=value, got"):
        parsing.parse_settings([text])
