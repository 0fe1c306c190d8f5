"""Chromium without a window, for tests of the pages as people use them."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import sync_playwright

DESK, PHONE = {"width": 1100, "height": 700}, {"width": 390, "height": 780}
# Without a sandbox of its own, as tests may run as root.
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run")
_FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def program() -> str:
    """Chromium's path; skips the test where it is not installed."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    return found


@contextlib.contextmanager
def driver() -> Iterator[Any]:
    """Playwright, of which a thread can have one at a time."""
    program()
    with sync_playwright() as found:
        yield found


@contextlib.contextmanager
def chromium(driver: Any, folder: Any, camera: str = "") -> Iterator[tuple[Any, Any]]:
    """A browser and the function that kills it as a crash would.

    Args:
      driver: of `driver`.
      folder: of its profile.
      camera: a file of `film`; '' for a machine without a camera.
    """
    flags = [*_FLAGS, f"--user-data-dir={folder}", "--remote-debugging-port=0"]
    if camera:
        flags += [*_FAKE_CAMERA, f"--use-file-for-fake-video-capture={camera}"]
    process = subprocess.Popen(
        [program(), *flags], stderr=subprocess.PIPE, text=True, start_new_session=True
    )

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    try:
        yield driver.chromium.connect_over_cdp(_address(process)), kill
    finally:
        kill()
        process.stderr.close()


def _address(process: subprocess.Popen) -> str:
    for line in process.stderr:
        if found := re.search(r"DevTools listening on (ws://\S+)", line):
            return found[1]
    raise AssertionError("Chromium did not start")


@contextlib.contextmanager
def page(browser: Any, viewport: dict[str, int] = DESK) -> Iterator[Any]:
    """A page of somebody new; a fault of its script fails the test."""
    context = browser.new_context(viewport=viewport)
    context.set_default_timeout(30_000)
    found = context.new_page()
    faults: list[str] = []
    found.on("pageerror", lambda error: faults.append(str(error)))
    yield found
    assert not faults, faults
    context.close()


def fits(page: Any) -> bool:
    """Whether nothing sticks out at the right."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def film(path: Any, image: np.ndarray) -> str:
    """A file that Chromium's fake camera shows: uint8 [H, W, 3] RGB, even sides."""
    height, width = image.shape[:2]
    frame = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420).tobytes()
    head = f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode()
    with open(path, "wb") as file:
        file.write(head + (b"FRAME\n" + frame) * 10)
    return str(path)
