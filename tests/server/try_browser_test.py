"""Try it, in a browser: pictures, the camera, and what is no picture or no camera."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from skimage import data

from kfer.faces import framing
from kfer.server import pages
from tests import runs
from tests.server import browser
from tests.server.live import png, server

pytestmark = pytest.mark.slow
CLASSES = set(runs.config().tasks[0].classes)


@pytest.fixture(scope="module")
def url():
    with server(
        runs.model(), pages.routes, framing=framing.AS_GIVEN, max_body_bytes=10**6
    ) as (found, _):
        yield found


@pytest.fixture(scope="module")
def chromium(driver, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chromium")
    camera = browser.film(folder / "film.y4m", data.astronaut())
    with browser.chromium(driver, folder / "profile", camera) as (found, _):
        yield found


def upload(page, content, name="picture.png"):
    file = {"name": name, "mimeType": "image/png", "buffer": content}
    page.set_input_files("#file", file)


def marked(page):
    """The places of a picture [x, y] that have the colour of boxes."""
    rows = page.evaluate("""() => {
        const canvas = document.getElementById("picture");
        const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return [canvas.width, canvas.height, ...all.data];
    }""")
    width, height, *values = rows
    pixels = np.reshape(values, (height, width, 4))[..., :3]
    return np.argwhere((pixels == (0x0B, 0x5C, 0xAD)).all(-1))[:, ::-1]


def test_a_photo_gets_boxes_classes_and_a_place_in_the_plane(chromium, url):
    with browser.page(chromium) as page:
        page.goto(url)
        upload(page, png(data.astronaut()))
        first = page.locator("#faces section").first
        expect(first).to_contain_text("Face 1")
        names = first.locator("tr td:first-child").all_inner_texts()
        assert set(names) == CLASSES
        shares = [
            int(text.removesuffix(" %"))
            for text in first.locator("tr td:last-child").all_inner_texts()
        ]
        assert abs(sum(shares) - 100) <= 4 and shares == sorted(shares, reverse=True)
        expect(first.locator(".answer")).to_contain_text(f"{names[0]}, {shares[0]} %")
        expect(first).to_contain_text("valence")
        # The face of the photo spans about x 175..275 and y 65..195 of 512.
        low, high = marked(page).min(0), marked(page).max(0)
        assert np.all(np.abs(low - (175, 65)) < 30)
        assert np.all(np.abs(high - (275, 195)) < 30)
        assert page.locator("#points circle").count() == page.locator("section").count()


def test_what_has_no_face_and_what_is_no_picture_is_one_line(chromium, url):
    with browser.page(chromium, browser.PHONE) as page:
        page.goto(url)
        upload(page, png(data.coffee()))
        expect(page.locator("#note")).to_have_text("no face found")
        assert page.locator("#faces section").count() == 0
        upload(page, b"no picture", "letter.png")
        expect(page.locator("#note.error")).to_contain_text("not an image")
        expect(page.locator("#shown")).to_be_hidden()
        noise = np.random.default_rng(0).integers(0, 256, (700, 700, 3), np.uint8)
        upload(page, png(noise))  # 1.5 MB
        expect(page.locator("#note.error")).to_contain_text("over 1000000 bytes")
        # The next one is shown as ever.
        upload(page, png(data.astronaut()))
        expect(page.locator("#faces section").first).to_be_visible()
        expect(page.locator("#note")).to_have_text("")
        assert browser.fits(page)


def test_the_camera_is_asked_about_until_it_is_stopped(chromium, url):
    with browser.page(chromium) as page:
        asked = []
        page.on("response", lambda answer: asked.append(answer.url.endswith("/faces")))
        page.goto(url)
        page.get_by_role("button", name="Use the camera").click()
        expect(page.locator("#faces section").first).to_contain_text("Face 1")
        assert len(marked(page)) > 500
        for _ in range(2):
            with page.expect_response("**/faces"):
                pass
        page.get_by_role("button", name="Stop the camera").click()
        expect(page.locator("#camera")).to_have_text("Use the camera")
        page.wait_for_timeout(1000)
        before = sum(asked)
        page.wait_for_timeout(1000)
        assert sum(asked) == before >= 3
        expect(page.locator("#faces section").first).to_be_visible()


@pytest.mark.parametrize(
    ("allowed", "text"),
    [
        (["camera"], "There is no camera here; choose a picture instead"),
        ([], "no camera here|keeps the camera from this page"),
    ],
)
def test_a_camera_that_is_not_there_is_one_line(driver, tmp_path, url, allowed, text):
    with (
        browser.chromium(driver, tmp_path) as (found, _),
        browser.page(found, browser.PHONE) as page,
    ):
        page.context.grant_permissions(allowed, origin=url)
        page.goto(url)
        page.get_by_role("button", name="Use the camera").click()
        expect(page.locator("#note.error")).to_have_text(re.compile(text))
        expect(page.locator("#camera")).to_be_enabled()
        assert browser.fits(page)


def test_a_server_that_has_gone_is_one_line(chromium, tmp_path):
    with browser.page(chromium) as page:
        with server(runs.model(), pages.routes) as (url, _):
            page.goto(url)
            upload(page, runs.encoded()[0])
            expect(page.locator("section h2")).to_have_text("The picture")
        upload(page, runs.encoded()[0])
        expect(page.locator("#note.error")).to_contain_text("can't be reached")
