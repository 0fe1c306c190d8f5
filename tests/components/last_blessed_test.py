"""Which model a new one is judged against."""

import pytest

from components.last_blessed import LastOtherBlessed


class Artifact:
    """As much of a TFX artifact as the resolver reads."""

    def __init__(self, number, **properties):
        self.id = number
        self._properties = properties

    def get_int_custom_property(self, name):
        return self._properties.get(name, 0)


def blessing(number, model, blessed):
    return Artifact(number, blessed=blessed, current_model_id=model)


@pytest.mark.parametrize(
    "current, found",
    [
        (5, [3]),  # 4 was not blessed, 5 is judged now
        (3, [1]),  # judged again: not against itself
        (9, [3]),
    ],
)
def test_the_latest_blessed_model_that_is_another(current, found):
    resolved = LastOtherBlessed().resolve_artifacts(
        None,
        {
            "model": [Artifact(n) for n in (3, 1, 5, 4, 2)],
            "blessing": [blessing(11, 1, 1), blessing(13, 3, 1), blessing(14, 4, 0)],
            "current": [Artifact(current)],
        },
    )
    assert [artifact.id for artifact in resolved["model"]] == found
    wanted = [10 + number for number in found]
    assert [artifact.id for artifact in resolved["blessing"]] == wanted
    assert [artifact.id for artifact in resolved["current"]] == [current]


def test_no_model_was_blessed_yet():
    resolved = LastOtherBlessed().resolve_artifacts(
        None, {"model": [Artifact(1)], "blessing": [], "current": [Artifact(1)]}
    )
    assert resolved["model"] == resolved["blessing"] == []
