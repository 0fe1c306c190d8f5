"""kfer.load: a model from the file that Model.save wrote."""

import json
import os
import zipfile

from tensorflow import keras

from kfer.errors import UserError
from kfer.python.model import Model
from kfer.storage import fetching

_CLASS = "kfer>Model"


def load(path: str | os.PathLike) -> Model:
    """A model that Model.save wrote.

    Raises:
      UserError: there is no such file, or it is no kfer model or damaged.
    """
    path = fetching.local_copy(os.fspath(path))
    if not os.path.isfile(path):
        raise UserError(f"There is no model {path}")
    _check(path)
    try:
        return keras.saving.load_model(path)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{path} is damaged ({reason}); save the model again"
        ) from error


def _check(path: str) -> None:
    """Raises UserError unless it says it is a Model: Keras makes what a file names."""
    try:
        with zipfile.ZipFile(path) as file:
            named = json.loads(file.read("config.json")).get("registered_name")
    except (OSError, KeyError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is no .keras file of kfer's, or is damaged") from error
    if named != _CLASS:
        raise UserError(
            f"{path} holds {named!r}, no model of kfer's; keras.saving.load_model may "
            "read it"
        )
