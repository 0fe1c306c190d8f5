"""The review by HTTP: what a browser sends, and what another site may not."""

import urllib.parse

import pytest

from kfer.audit import decisions
from kfer.server import pages
from tests import runs
from tests.audit import reviewed, small
from tests.server.live import ask, server


@pytest.fixture(scope="module")
def reviewing(tmp_path_factory):
    review = reviewed.make(tmp_path_factory.mktemp("review"))

    def routes(service):
        return pages.routes(service, review=review)

    with server(runs.model(), pages=routes) as (url, _):
        yield url, review


def send(url, headers=None, **fields):
    body = urllib.parse.urlencode(fields).encode()
    kind = "application/x-www-form-urlencoded"
    return ask(f"{url}/ui/review", body, content_type=kind, **(headers or {}))


def test_a_review_from_its_first_to_its_last(reviewing):
    url, review = reviewing
    status, text = ask(f"{url}/ui/review")
    assert status == 200 and "Who decides?" in text and "0 of 3" in text
    status, text = ask(f"{url}/ui/review?who=ann")
    assert '<b>annotator_3</b> says <b class="given">dog</b>' in text
    assert "cat</b>." in text and "2 of 3 &lt;b&gt;" in text
    assert 'data-key="3"><kbd>3</kbd>fox' in text
    assert ask(f"{url}/ui/review/picture/0")[0] == 200
    assert ask(f"{url}/ui/review/picture/3")[0] == 404

    own = {"origin": url}
    status, text = send(url, own, who="ann", number="0", action="take")
    assert status == 200 and "1 of 3" in text and "annotator_2" in text
    status, text = send(url, who="ann", number="1", action="pick:fox")
    assert "2 of 3" in text
    status, text = send(url, who="ann", number="2", action="keep")
    assert "All are decided" in text
    status, text = send(url, who="ann", action="undo")
    assert "2 of 3" in text and "annotator_1" in text
    made = decisions.read(review.path)
    assert [d.action for d in made] == ["take", "pick", "keep", "undo"]
    assert [d.label for d in made] == ["cat", "fox", "dog", ""]
    assert made[1].label in small.CLASSES


@pytest.mark.parametrize(
    ("headers", "fields", "status", "text"),
    [
        ({"origin": "http://evil.example"}, {}, 403, "Another site sent"),
        ({"origin": "null"}, {}, 403, "Another site sent"),
        ({"sec_fetch_site": "cross-site"}, {}, 403, "Another site sent"),
        ({}, {"who": "a" * 20_000}, 413, "A decision is a short form"),
        ({}, {"action": "drop"}, 400, "No decision"),
        ({}, {"number": "x"}, 400, "No decision"),
        ({}, {"number": "9"}, 400, "There is no suspect 9"),
        ({}, {"who": ""}, 400, "Say who decides"),
        ({}, {"action": "pick:<script>"}, 400, "&lt;script&gt;"),
    ],
)
def test_what_is_not_taken(reviewing, headers, fields, status, text):
    url, review = reviewing
    before = decisions.read(review.path)
    sent = {"who": "ann", "number": "0", "action": "keep"} | fields
    found, page = send(url, headers, **sent)
    assert found == status and text in page
    assert decisions.read(review.path) == before
