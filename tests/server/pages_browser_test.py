"""Data, Review and Runs in a browser, with its crash and two reviewers at once."""

import json
import re
import shutil

import pytest
from playwright.sync_api import expect

from kfer.audit import decisions
from kfer.data.browse import Browser
from kfer.server import data_pages, pages
from kfer.serving import model_folder
from tests import runs
from tests.audit import reviewed
from tests.server import browser
from tests.server.live import server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium(driver, tmp_path_factory):
    with browser.chromium(driver, tmp_path_factory.mktemp("chromium")) as (found, _):
        yield found


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A server with two runs, six pictures on pages of four, and a review of three."""
    monkeypatch.setattr(data_pages, "_A_PAGE", 4)
    (tmp_path / "runs").mkdir()
    for name in ("first", "second"):
        shutil.copytree(runs.run(), tmp_path / "runs" / name)
    review = reviewed.make(tmp_path)
    looked_at = Browser(str(tmp_path / "set"))

    def routes(service):
        return pages.routes(service, str(tmp_path / "runs"), looked_at, review)

    with server(runs.model(), routes) as (url, _):
        yield url, review


def test_the_data_are_browsed_and_filtered(chromium, site):
    url, _ = site
    for viewport in (browser.DESK, browser.PHONE):
        with browser.page(chromium, viewport) as page:
            page.goto(url)
            page.get_by_role("link", name="Data").click()
            expect(page.locator("figure")).to_have_count(4)
            for image in page.locator("figure img").all():
                image.scroll_into_view_if_needed()
                expect(image).to_have_js_property("naturalWidth", 8)
            page.get_by_role("link", name="Next").first.click()
            expect(page.locator("figure")).to_have_count(2)
            expect(page.locator("main")).to_contain_text("5 to 6 of 6")
            page.get_by_role("link", name="Previous").first.click()
            page.locator("select[name=said]").select_option("annotator_3|dog")
            page.locator("select[name=agreement]").select_option("differ")
            page.get_by_role("button", name="Show").click()
            captions = page.locator("figcaption > span").all_inner_texts()
            assert captions == ["picture, 1", "picture, 3"]
            expect(page.locator("select[name=agreement]")).to_have_value("differ")
            page.locator("select[name=said]").select_option("annotator_1|fox")
            page.get_by_role("button", name="Show").click()
            expect(page.get_by_role("alert")).to_contain_text("No picture of train")
            page.get_by_role("link", name="Show all of train").click()
            page.locator("summary").click()
            expect(page.locator("details")).to_contain_text("dog 3")
            assert browser.fits(page)


def begin(page, url, who):
    page.goto(f"{url}/ui/review")
    page.get_by_label("Who decides?").fill(who)
    page.keyboard.press("Enter")
    expect(page.locator("#review")).to_be_visible()


def press(page, key):
    with page.expect_navigation():
        page.keyboard.press(key)


def actions(review):
    return [(one.who, one.action, one.label) for one in decisions.read(review.path)]


def test_a_review_by_keys_alone(chromium, site):
    url, review = site
    with browser.page(chromium, browser.PHONE) as page:
        begin(page, url, "ann")
        expect(page.locator("#suspect")).to_contain_text(
            "annotator_3 says dog. Proposed is cat."
        )
        expect(page.locator("#suspect img")).to_have_js_property("naturalWidth", 8)
        assert browser.fits(page)
        press(page, "t")
        expect(page.locator("#last")).to_contain_text("take cat for annotator_3")
        press(page, "3")
        press(page, "s")
        expect(page.locator("#review")).to_contain_text("All are decided.")
        expect(page.locator("#review")).to_contain_text("pick: 1, skip: 1, take: 1")
        press(page, "u")
        expect(page.locator("main")).to_contain_text("2 of 3")
        press(page, "K")
        wanted = [("take", "cat"), ("pick", "fox"), ("skip", ""), ("undo", "")]
        wanted.append(("keep", "dog"))
        assert actions(review) == [("ann", *one) for one in wanted]


def test_keys_that_come_too_fast_decide_once(chromium, site):
    url, review = site
    with browser.page(chromium) as page:
        begin(page, url, "ann")
        with page.expect_navigation():
            page.evaluate("""() => {
                for (const key of ["k", "k", "s"])
                    document.dispatchEvent(new KeyboardEvent("keydown", {key}));
            }""")
        expect(page.locator("main")).to_contain_text("1 of 3")
        assert actions(review) == [("ann", "keep", "dog")]


def test_a_browser_that_dies_loses_no_decision(driver, site, tmp_path):
    url, review = site
    with browser.chromium(driver, tmp_path / "dies") as (found, kill):
        page = found.new_context().new_page()
        begin(page, url, "ann")
        press(page, "t")
        # The next decision is on its way when it dies.
        with page.expect_request(lambda request: request.method == "POST"):
            page.keyboard.press("k")
        kill()
    kept = actions(review)
    assert kept[0] == ("ann", "take", "cat") and len(kept) <= 2
    with (
        browser.chromium(driver, tmp_path / "again") as (found, _),
        browser.page(found) as page,
    ):
        begin(page, url, "ann")
        done = len(actions(review))
        expect(page.locator("main")).to_contain_text(f"{done} of 3")
        for _ in range(done, 3):
            press(page, "s")
        expect(page.locator("#review")).to_contain_text("All are decided.")
    assert actions(review)[:done] == [*kept, ("ann", "keep", "cat")][:done]


def test_two_reviewers_at_once(chromium, site):
    url, review = site
    with browser.page(chromium) as ann, browser.page(chromium) as bob:
        begin(ann, url, "ann")
        begin(bob, url, "bob")
        expect(ann.locator("#suspect")).to_contain_text("annotator_3 says dog")
        expect(bob.locator("#suspect")).to_contain_text("annotator_2 says cat")
        press(bob, "k")
        press(ann, "t")
        assert actions(review) == [("bob", "keep", "cat"), ("ann", "take", "cat")]
        # One is left, which both see; both decisions stay and the later counts.
        press(ann, "1")
        press(bob, "2")
        assert actions(review)[2:] == [("ann", "pick", "cat"), ("bob", "pick", "dog")]
        assert review.standing()[2].who == "bob"
        # Each takes back what is theirs.
        press(ann, "u")
        expect(ann.locator("main")).to_contain_text("2 of 3")
        assert actions(review)[-1][:2] == ("ann", "undo")


def test_runs_are_compared(chromium, site):
    url, _ = site
    with browser.page(chromium, browser.PHONE) as page:
        page.goto(f"{url}/ui/runs")
        assert browser.fits(page)
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_role("alert")).to_contain_text("Choose a run to show")
        page.get_by_role("link", name="Back").click()
        for name in ("first", "second"):
            page.get_by_label(name).check()
        page.get_by_role("button", name="Compare").click()
        for name in ("first", "second"):
            expect(page.locator("table").first).to_contain_text(name)
        images = page.locator("figure img")
        assert images.count() > 3
        for image in images.all():
            expect(image).not_to_have_js_property("naturalWidth", 0)
        expect(page.locator("body")).to_contain_text(
            re.compile("confusion of the last")
        )
        expect(page.locator("body")).to_contain_text(re.compile("reliability of the"))
        assert browser.fits(page)
        page.get_by_role("link", name="All runs").click()
        expect(page.locator("h1")).to_have_text("Runs")


def test_the_verdict_on_a_judged_model(chromium, site, tmp_path):
    url, _ = site
    folder = tmp_path / "runs" / "second"
    metrics = json.loads((folder / "metrics.json").read_text())
    scores = metrics["last"]["test"]
    scores["expression"]["ece"] = 0.0266
    judged = {"model": "candidate", "step": 12, "scores": scores}
    judged |= {"minimum": {"expression/ece": 0.02, "valence_arousal/ccc": -1.0}}
    judged |= {"last_blessed": scores, "last_blessed_model": "before"}
    judged |= {"objections": ["expression/ece is 0.0266, at most 0.02 is asked for"]}
    judged |= {"digest": model_folder.digest(runs.model())}
    (folder / "evaluation.json").write_text(json.dumps(judged))
    with browser.page(chromium, browser.PHONE) as page:
        page.goto(f"{url}/ui/runs")
        row = page.get_by_role("row").filter(has_text="second")
        expect(row).to_contain_text("not blessed: expression/ece is 0.0266")
        expect(row).to_contain_text("which answers here")
        page.get_by_label("second").check()
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_role("heading", name="Verdict")).to_be_visible()
        expect(page.locator("b.missed")).to_contain_text("not blessed: expression/ece")
        expect(page.locator("td.missed")).to_have_count(1)
        expect(page.locator("td.met")).to_have_count(1)
        body = page.locator("body")
        expect(body).to_contain_text("that of before")
        expect(body).to_contain_text("confidence: expression 0.0266")
        expect(body).to_contain_text("reliability of the exported model's confidence")
        expect(page.locator("tr.exported").first).to_contain_text("0.0266")
        assert browser.fits(page)


def test_a_page_that_is_not_there(chromium, site):
    url, _ = site
    with browser.page(chromium) as page:
        assert page.goto(f"{url}/ui/other").status == 404
        expect(page.get_by_role("alert")).to_have_text("There is no page /ui/other")
