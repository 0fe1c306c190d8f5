"""The data set by HTTP."""

import re

import pytest

from kfer.data.browse import Browser
from kfer.server import pages
from tests import runs
from tests.audit import small
from tests.server.live import ask, server


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "set"
    small.write(path)

    def routes(service):
        return pages.routes(service, browser=Browser(str(path)))

    with server(runs.model(), pages=routes) as (found, _):
        yield found


def test_pictures_with_all_their_labels_and_the_class_balance(url):
    status, text = ask(f"{url}/ui/data")
    assert status == 200 and "1 to 6 of 6" in text
    assert text.count("<figure class") == 6
    assert "<dt>annotator_<wbr>3</dt><dd>dog</dd>" in text
    assert re.search(r"truth of class</dt><dd[^>]*>fox</dd>", text)
    # annotator_1 says cat, cat, dog, dog, dog.
    row = re.search(r"<th>annotator_1</th>(.*?)</tr>", text, re.DOTALL)[1]
    assert re.findall(r"<td>([a-z]+ \d+)", row) == ["cat 2", "dog 3", "fox 0"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("split=train&said=annotator_3%7Cdog", ["1", "2", "3"]),
        ("split=train&said=annotator_3%7C", ["0", "1", "2", "3"]),
        ("split=train&agreement=differ", ["1", "3"]),
        ("split=test", ["0"]),
        ("start=4", ["4", "5"]),
        ("split=train&agreement=agree", ["0", "2", "4"]),
        ("start=99", ["0", "1", "2", "3", "4", "5"]),
        ("said=annotator_1%7Cfox", []),
    ],
)
def test_what_is_asked_for_is_shown(url, query, numbers):
    status, text = ask(f"{url}/ui/data?{query}")
    assert status == 200
    assert re.findall(r'src="/ui/data/picture/\w+/(\d+)"', text) == numbers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?split=../other", 400),
        ("?said=../other%7C", 400),
        ("?said=annotator_1%7C%3Cscript%3E", 400),
        ("?agreement=%3Cscript%3E", 400),
        ("/picture/train/6", 404),
        ("/picture/..%2Ftrain/0", 404),
        ("/picture/other/0", 404),
        ("/picture/train/-1", 404),
    ],
)
def test_what_is_not_there(url, path, status):
    found, text = ask(f"{url}/ui/data{path}")
    assert found == status and "<script>" not in str(text)


def test_the_picture_itself(url):
    import urllib.request

    with urllib.request.urlopen(f"{url}/ui/data/picture/train/2") as answer:
        assert answer.headers["content-type"] == "image/png"
        assert answer.read() == small.records()[2].image
