"""The page on which people look at a prepared data set."""

import urllib.parse
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from kfer.data.browse import Browser
from kfer.data.record import LABEL
from kfer.errors import UserError
from kfer.server.shell import HEADERS, Shell

PATH = "/ui/data"
_A_PAGE = 48


class DataPages:
    """Pictures by split, class column and class, with all that is said of each.

    Args:
      browser: of the data set.
      shell: what all pages share.
    """

    def __init__(self, browser: Browser, shell: Shell):
        self._browser, self._shell = browser, shell

    def routes(self) -> list[BaseRoute]:
        """Its calls."""
        picture = PATH + "/picture/{split}/{number:int}"
        return [Route(PATH, self.show), Route(picture, self.picture)]

    async def show(self, request: Request) -> Response:
        asked = request.query_params
        try:
            content = await self._shell.in_thread(self._content, dict(asked))
        except UserError as error:
            return self._shell.page(
                "message.html", 400, title="Data", here=PATH, text=str(error)
            )
        return self._shell.page("data.html", title="Data", here=PATH, **content)

    async def picture(self, request: Request) -> Response:
        split, number = (request.path_params[name] for name in ("split", "number"))
        try:
            found = await self._shell.in_thread(self._browser.record, split, number)
        except UserError:
            found = None
        if found is None:
            return Response(status_code=404)
        kind = f"image/{self._browser.dataset.image_format}"
        return Response(found.image, media_type=kind, headers=HEADERS)

    def _content(self, asked: dict[str, str]) -> dict[str, Any]:
        browser = self._browser
        split = asked.get("split") or browser.splits[0]
        # Class and column are one choice, so that no class is asked of another column.
        column, _, name = asked.get("said", "").partition("|")
        agreement = asked.get("agreement", "")
        numbers = browser.find(split, column, name, agreement)
        begin = _begin(asked.get("start", ""), len(numbers))
        shown = numbers[begin : begin + _A_PAGE]
        kept = {"split": split, "said": asked.get("said", ""), "agreement": agreement}
        return {
            "browser": browser,
            "split": split,
            "said": asked.get("said", ""),
            "agreement": agreement,
            "total": len(numbers),
            "begin": begin,
            "end": begin + len(shown),
            "before": _link(kept, begin - _A_PAGE) if begin else "",
            "after": _link(kept, begin + _A_PAGE)
            if begin + _A_PAGE < len(numbers)
            else "",
            "pictures": [self._picture(split, number) for number in shown],
            "counts": browser.dataset.splits[split].class_counts,
            "prefix": LABEL,
        }

    def _picture(self, split: str, number: int) -> dict[str, Any]:
        found = self._browser.record(split, number)
        return {
            "number": number,
            "image_id": found.image_id,
            "labels": self._browser.described(found.labels),
            "truth": self._browser.described(found.clean),
        }


def _begin(start: str, total: int) -> int:
    """The first picture of a page: as asked, or that of the last page there is."""
    asked = int(start) if start.isascii() and start.isdigit() else 0
    return asked if asked < total else max(0, total - 1) // _A_PAGE * _A_PAGE


def _link(kept: dict[str, str], start: int) -> str:
    return f"{PATH}?{urllib.parse.urlencode(kept | {'start': max(0, start)})}"
