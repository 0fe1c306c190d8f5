"""What all pages share: templates, links to each other, headers."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

import jinja2
from starlette.responses import HTMLResponse, Response

# Nothing from elsewhere is loaded, and no other site may frame the page.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src "
    "'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    # Not no-referrer: browsers then hide from this server too which page sent a form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Shell:
    """Renders pages.

    Args:
      links: (path, name) of the pages there are.
    """

    def __init__(self, links: Sequence[tuple[str, str]]):
        self._links = links
        # One thread: matplotlib draws, and files are written, for one at a time.
        self._thread = futures.ThreadPoolExecutor(1, "pages")
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("kfer.server", "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, template: str, status: int = 200, **content: Any) -> Response:
        """A template's page with the links to the others."""
        text = self._environment.get_template(template).render(
            links=self._links, **content
        )
        return HTMLResponse(text, status, HEADERS)

    def source(self, name: str) -> str:
        """A file that lies beside the templates, as it is."""
        return self._environment.loader.get_source(self._environment, name)[0]

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """A function's result, while others are served."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function, *args)
