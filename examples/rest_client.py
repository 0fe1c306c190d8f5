"""Asks TensorFlow Serving over REST what it sees in pictures.

  python examples/rest_client.py --url=http://localhost:8501 --model=faces a.jpg b.png

Needs nothing but Python. Prints one JSON line a picture.
"""

import argparse
import base64
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any


def body(pictures: Sequence[bytes]) -> dict[str, Any]:
    """The request for encoded JPEG or PNG pictures; bytes travel as base64."""
    rows = [
        {"image_bytes": {"b64": base64.b64encode(data).decode()}} for data in pictures
    ]
    return {"signature_name": "serving_default", "instances": rows}


def predict(
    url: str, model: str, pictures: Sequence[bytes], timeout: float = 30.0
) -> list[dict[str, Any]]:
    """One answer a picture: output name -> number, text or list.

    Where 'status' is not 'OK' it says why a picture has no answer, and the numbers of
    the row are 0. Models that give no status fail the whole request instead.

    Raises:
      RuntimeError: the server refused, with its reason, or can't be reached.
    """
    request = urllib.request.Request(
        f"{url}/v1/models/{model}:predict",
        json.dumps(body(pictures)).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return json.load(response)["predictions"]
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{url} answered {error.code}: {_reason(error)}") from error
    except OSError as error:
        raise RuntimeError(f"{url} can't be reached: {error}") from error


def _reason(error: urllib.error.HTTPError) -> str:
    """The server's reason; a proxy before it may answer in HTML instead."""
    try:
        return json.load(error)["error"]
    except (ValueError, KeyError, TypeError):
        return error.reason


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without its status, or {'error': why there is none}."""
    status = answer.get("status", "OK")
    if status != "OK":
        return {"error": status}
    return {name: value for name, value in answer.items() if name != "status"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://localhost:8501")
    parser.add_argument("--model", default="faces")
    parser.add_argument("pictures", nargs="+")
    flags = parser.parse_args()
    data = []
    for path in flags.pictures:
        with open(path, "rb") as file:
            data.append(file.read())
    try:
        answers = predict(flags.url, flags.model, data)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    for path, answer in zip(flags.pictures, answers, strict=True):
        print(json.dumps({"path": path, **told(answer)}))
    return int(any("error" in told(answer) for answer in answers))


if __name__ == "__main__":
    sys.exit(main())
