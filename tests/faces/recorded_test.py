"""What a folder says of its framing."""

import pytest

from kfer.errors import UserError
from kfer.faces import recorded


def test_what_is_noted_is_read():
    notes = {recorded.KEY: recorded.note("landmarks", "yuface")}
    assert recorded.read(notes, "f") == ("landmarks", "yuface")
    # The eyes were the data set's own.
    notes = {recorded.KEY: recorded.note("landmarks")}
    assert recorded.read(notes, "f") == ("landmarks", "mtcnn")


def test_older_folders_say_nothing_and_mean_whole_pictures():
    assert recorded.read({}, "f") == ("none", "mtcnn")
    assert recorded.read({recorded.KEY: None}, "f") == ("none", "mtcnn")


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ({"kind": "nose"}, r"f names the framing 'nose'.*--framing"),
        ("landmarks!", r"f names the framing 'landmarks!'"),
        ({"kind": "none", "detector": "x"}, r"f names the detector 'x'.*--detector"),
    ],
)
def test_what_is_unknown_is_refused(note, text):
    with pytest.raises(UserError, match=text):
        recorded.read({recorded.KEY: note}, "f")
