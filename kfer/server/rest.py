"""TensorFlow Serving's REST bodies: requests read, answers written.

Its form is that of tensorflow.org/tfx/serving/api_rest: "instances" (one object a row)
is answered with "predictions", "inputs" (one list an input) with "outputs"; an object
of a single entry may be left out around its value, and is in answers. Bytes travel as
{"b64": "..."}.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kfer.server.refusal import Refused

# Signature -> its one input.
INPUTS = {"serving_default": "image_bytes", "predict_images": "images"}
# What float images may stand out of [-1, 1] by rounding, as in the exported graph.
_TOLERANCE = 1e-3


class Request(NamedTuple):
    """What a client asks.

    Attributes:
      signature: of INPUTS.
      rows: encoded pictures, or nested lists of [S, S, 3] numbers, one a picture.
      columns: whether the answer is "outputs" rather than "predictions".
    """

    signature: str
    rows: list[Any]
    columns: bool


def parse(body: bytes) -> Request:
    """The request in a body.

    Raises:
      Refused: 400, with what was found and what is wanted.
    """
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"JSON Parse error: {_short(error)}") from error
    if not isinstance(asked, dict):
        raise Refused(400, 'The body must be an object with "instances" or "inputs"')
    signature = asked.get("signature_name") or "serving_default"
    if not isinstance(signature, str) or signature not in INPUTS:
        known = ", ".join(INPUTS)
        raise Refused(400, f"Serving signature name {signature!r} not found: {known}")
    if ("instances" in asked) == ("inputs" in asked):
        raise Refused(400, 'Give one of "instances" and "inputs", not both or neither')
    columns = "inputs" in asked
    rows = _columns(asked["inputs"], signature) if columns else asked["instances"]
    if not isinstance(rows, list):
        raise Refused(400, f"The pictures must be a list, not {_kind(rows)}")
    if not columns:
        rows = [_value(row, signature, index) for index, row in enumerate(rows)]
    if signature == "serving_default":
        rows = [_bytes(row, index) for index, row in enumerate(rows)]
    return Request(signature, rows, columns)


def _columns(inputs: Any, signature: str) -> Any:
    name = INPUTS[signature]
    if isinstance(inputs, dict) and set(inputs) != {"b64"}:
        if set(inputs) != {name}:
            raise Refused(400, f'"inputs" must have {name!r} alone, has {list(inputs)}')
        inputs = inputs[name]
    return [inputs] if isinstance(inputs, dict) else inputs


def _value(row: Any, signature: str, index: int) -> Any:
    name = INPUTS[signature]
    if not isinstance(row, dict) or set(row) == {"b64"}:
        return row
    if set(row) != {name}:
        raise Refused(
            400, f"Instance {index} must have {name!r} alone, has {list(row)}"
        )
    return row[name]


def _bytes(value: Any, index: int) -> bytes:
    text = value.get("b64") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(text, str):
        raise Refused(
            400, f'Picture {index} must be {{"b64": "..."}}, not {_kind(value)}'
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(400, f"Picture {index} is no base64: {_short(error)}") from error


def pixels(row: Any, index: int, size: int) -> np.ndarray:
    """A picture of numbers as float32 [S, S, 3] in [-1, 1].

    Raises:
      Refused: 400, it has another shape or range.
    """
    try:
        image = np.asarray(row, np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise Refused(400, f"Picture {index} is no array: {_short(error)}") from error
    if image.shape != (size, size, 3):
        raise Refused(400, f"Picture {index} is {image.shape}, not {(size, size, 3)}")
    if not (np.abs(image) <= 1 + _TOLERANCE).all():
        raise Refused(400, f"images must lie in [-1, 1]; not at index [{index}]")
    return image


def answer(request: Request, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The body that answers a request.

    Args:
      request: as parsed.
      rows: output name -> value, one a picture.
    """
    plain = [{name: _json(value) for name, value in row.items()} for row in rows]
    if not request.columns:
        bare = [next(iter(r.values())) if len(r) == 1 else r for r in plain]
        return {"predictions": bare}
    names = list(plain[0]) if plain else []
    columns = {name: [row[name] for row in plain] for name in names}
    return {"outputs": columns[names[0]] if len(names) == 1 else columns}


def _json(value: Any) -> Any:
    """A row of an output as JSON has it."""
    if isinstance(value, np.ndarray):
        return [_json(one) for one in value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    return value.decode() if isinstance(value, bytes) else value


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "a text"}.get(
        type(value), type(value).__name__
    )


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
