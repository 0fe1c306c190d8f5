import pytest

from kfer.errors import UserError
from kfer.server.options import ServerOptions


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"max_batch": 0}, "--max_batch=0 must be above 0"),
        ({"poll_seconds": -1.0}, "--poll_seconds=-1.0 must be above 0"),
        ({"framing": "round"}, "No framing 'round'; known: none, as_given, landmarks"),
        ({"detector": "hawk"}, "No detector 'hawk'; known: mtcnn, yuface, cascade"),
        ({"max_body_bytes": 2**30}, "is less than one request may have"),
    ],
)
def test_limits_that_leave_nothing_are_refused(fields, text):
    with pytest.raises(UserError, match=text):
        ServerOptions(**fields)


def test_a_pictures_limits_are_those_of_its_request():
    limits = ServerOptions(max_pixels=5, max_body_bytes=7).picture_limits
    assert (limits.max_pixels, limits.max_bytes) == (5, 7)
