"""Shared by the pages' tests in a browser."""

import pytest


@pytest.fixture(scope="module")
def driver():
    """Playwright, loaded only where a browser is asked for."""
    from tests.server import browser

    with browser.driver() as found:
        yield found
