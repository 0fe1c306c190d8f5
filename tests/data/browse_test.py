"""Pictures are found by what is said of them."""

import pytest

from kfer.data import browse, dataset
from kfer.data.record import Record
from kfer.errors import UserError
from tests.audit import small
from tests.data import prepared


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    path = tmp_path_factory.mktemp("browse") / "set"
    small.write(path)
    return browse.Browser(str(path))


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (("train",), [0, 1, 2, 3, 4, 5]),
        (("train", "annotator_3"), [0, 1, 2, 3]),
        (("train", "annotator_3", "dog"), [1, 2, 3]),
        (("train", "annotator_1", "fox"), []),
        (("train", "", "", "differ"), [1, 3]),
        (("train", "", "", "agree"), [0, 2, 4]),
        (("train", "annotator_2", "cat", "differ"), [1, 3]),
        (("test",), [0]),
    ],
)
def test_by_split_column_class_and_agreement(browser, arguments, numbers):
    assert browser.find(*arguments) == numbers


def test_a_lone_label_neither_agrees_nor_differs(tmp_path):
    given = [{"annotator_1": 1}, {"annotator_1": 1, "annotator_2": 1}]
    rows = [
        Record(str(i), prepared.png(i, 8), labels, {}) for i, labels in enumerate(given)
    ]
    path = str(tmp_path / "set")
    dataset.write(path, "few", {"train": rows}, small.COLUMNS, {})
    found = browse.Browser(path)
    assert found.find("train", "", "", "agree") == [1]
    assert found.find("train", "", "", "differ") == []


def test_a_picture_comes_with_its_labels(browser):
    made = small.records()
    for number, wanted in enumerate(made):
        found = browser.record("train", number)
        assert (found.image_id, found.image) == (wanted.image_id, wanted.image)
    assert browser.record("train", 6) is None and browser.record("other", 0) is None
    said = browser.described(browser.record("train", 3).labels)
    assert (said["annotator_1"], said["annotator_2"]) == ("dog", "cat")
    assert said["value_2"] == "0.40 -0.40"
    assert browser.described(browser.record("train", 4).clean)["class"] == "fox"


def test_what_is_not_there_is_said(browser):
    with pytest.raises(UserError, match="No split 'x'; there are train, test"):
        browser.find("x")
    with pytest.raises(UserError, match="No class column '../a'"):
        browser.find("train", "../a")
    with pytest.raises(UserError, match="Labels agree or differ, not 'fight'"):
        browser.find("train", agreement="fight")
    with pytest.raises(UserError, match="No class 'cow' of column 'annotator_1'"):
        browser.find("train", "annotator_1", "cow")


def test_a_shard_that_changes_meanwhile_is_told(tmp_path):
    small.write(tmp_path / "set")
    browser = browse.Browser(str(tmp_path / "set"))
    (path,) = browser.dataset.files("train")
    with open(path, "r+b") as file:
        file.write(b"\xff" * 16)
    with pytest.raises(UserError, match="was changed; start again"):
        browser.record("train", 0)
    with open(path, "wb"):
        pass
    with pytest.raises(UserError, match="was changed; start again"):
        browser.record("train", 1)
