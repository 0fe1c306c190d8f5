"""The page on which people decide about suspicious labels."""

import collections
import urllib.parse
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from kfer.audit.decisions import ACTIONS, UNDO
from kfer.audit.review import Review
from kfer.errors import UserError
from kfer.server.shell import HEADERS, Shell

PATH = "/ui/review"
_MOST_BYTES = 10_000
_LONGEST_NAME = 100


class ReviewPages:
    """Shows a suspect, takes a decision, shows the next.

    Args:
      review: of one audit.
      shell: what all pages share.
    """

    def __init__(self, review: Review, shell: Shell):
        self._review, self._shell = review, shell

    def routes(self) -> list[BaseRoute]:
        """Its calls."""
        return [
            Route(PATH, self.show),
            Route(PATH, self.decide, methods=["POST"]),
            Route(PATH + "/picture/{number:int}", self.picture),
        ]

    async def show(self, request: Request) -> Response:
        who = request.query_params.get("who", "").strip()[:_LONGEST_NAME]
        content = await self._shell.in_thread(self._content, who)
        return self._shell.page("review.html", title="Review", here=PATH, **content)

    def _content(self, who: str) -> dict[str, Any]:
        review = self._review
        number, standing = review.next(who), review.standing()
        made = list(standing.values())
        last = review.last(who)
        content: dict[str, Any] = {
            "who": who,
            "path": review.path,
            "total": len(review.suspects),
            "done": len(made),
            "mine": sum(decision.who == who for decision in made),
            "counts": collections.Counter(sorted(one.action for one in made)),
            "last": None if last is None else standing[last],
            "number": number,
        }
        if number is None:
            return content
        suspect = review.suspects[number]
        return content | {
            "suspect": suspect,
            "classes": review.classes[suspect.column],
            "others": review.others(number),
        }

    async def picture(self, request: Request) -> Response:
        data = self._review.picture(request.path_params["number"])
        if data is None:
            return Response(status_code=404)
        kind = f"image/{self._review.image_format}"
        return Response(data, media_type=kind, headers=HEADERS)

    async def decide(self, request: Request) -> Response:
        if not same_site(request):
            return self._refused(
                "Another site sent this decision; it is not taken", 403
            )
        length = request.headers.get("content-length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _MOST_BYTES:
            return self._refused("A decision is a short form", 413)
        async with request.form(max_files=0, max_fields=8) as form:
            fields = {name: str(value) for name, value in form.items()}
        try:
            await self._shell.in_thread(self._take, fields)
        except UserError as error:
            return self._refused(str(error), 400)
        who = urllib.parse.quote(fields.get("who", ""))
        return RedirectResponse(f"{PATH}?who={who}", 303)

    def _take(self, fields: dict[str, str]) -> None:
        action, who = fields.get("action", ""), fields.get("who", "")
        if action == UNDO:
            self._review.undo(who)
            return
        label = fields.get("label", "")
        # A button for a class is named after it.
        if action.startswith("pick:"):
            action, label = action.split(":", 1)
        number = fields.get("number", "")
        if action not in ACTIONS or not number.isascii() or not number.isdigit():
            raise UserError(f"No decision {action!r} about suspect {number!r}")
        self._review.decide(int(number), action, label, who)

    def _refused(self, text: str, status: int) -> Response:
        return self._shell.page(
            "message.html", status, title="Review", here=PATH, text=text
        )


def same_site(request: Request) -> bool:
    """Whether a form was sent by a page of this server, as browsers tell it."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return urllib.parse.urlsplit(origin).netloc == request.headers.get("host")
