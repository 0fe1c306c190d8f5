"""The one answer that a request gets which is not served."""

from typing import Any

from starlette.responses import JSONResponse


class Refused(Exception):
    """A request that gets no answer, and why.

    Args:
      status: of HTTP.
      reason: one line for who asked.
    """

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


def busy(reason: str) -> Refused:
    """Come again: nothing is wrong with the request."""
    return Refused(503, f"{reason}; ask again in a second")


def response(refused: Refused) -> JSONResponse:
    """TensorFlow Serving's form of an error: {"error": reason}."""
    headers = {"Retry-After": "1"} if refused.status == 503 else None
    body: dict[str, Any] = {"error": str(refused)}
    return JSONResponse(body, refused.status, headers)
