"""What a command does with flags that name places of object stores.

A place that is read becomes the path of its copy before the command begins; one that is
written becomes the path of a folder that is delivered when the command ended well. So
the commands themselves know folders of this machine alone. A flag that a command
doesn't list in its STORES is refused if it names a store.
"""

import contextlib
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TextIO

from absl import flags

from kfer.data.folder import MANIFEST
from kfer.serving import model_folder, remote_models
from kfer.storage import fetching, objects, places, staging
from kfer.storage.order import Order
from kfer.training import run_folder

_MODELS = tuple(model_folder.FILES.values())

DATA = Order((MANIFEST,))
# A run's checkpoint is there when its index is.
RUN = Order(
    (run_folder.METRICS, MANIFEST, *_MODELS),
    (run_folder.VERSIONS, run_folder.CONFIG),
    (".index",),
)
FILES = Order()


class Use(NamedTuple):
    """What a command does with a flag's place.

    Attributes:
      start: prepares the folder that stands for the place; None where it is read.
      order: of what is written.
      needs: names of objects of which one must be there to be read.
      read: another way to get a copy of it.
    """

    start: Callable[[staging.Staging], None] | None = None
    order: Order = FILES
    needs: tuple[str, ...] = ()
    read: Callable[[str], str] | None = None


def _anew(staged: staging.Staging) -> None:
    staged.start_empty("overwrite" in flags.FLAGS and flags.FLAGS.overwrite)


READ = Use()
READ_DATA = Use(needs=(MANIFEST,))
READ_MODEL = Use(needs=_MODELS)
READ_NEWEST = Use(read=remote_models.newest)
READ_RUN = Use(needs=(run_folder.CONFIG,))
WRITE_DATA = Use(_anew, DATA)
WRITE_MODEL = Use(_anew, model_folder.ORDER)
GO_ON_RUN = Use(lambda staged: staged.start_same(), RUN)
CHANGE_RUN = Use(lambda staged: staged.start_same(run_folder.CONFIG), RUN)
WRITE_FILE = Use(lambda staged: staged.start_empty())
# The command itself takes places.
AS_IT_IS = Use(order=Order(("as it is",)))


def change_folder(last: str) -> Use:
    """The use of a folder that is written into, file `last` at the end."""
    return Use(lambda staged: staged.start_same(), Order((last,)))


Uses = Mapping[str, Use | Callable[[], Use | None]]


@contextlib.contextmanager
def resolved(module: types.ModuleType, argv: Sequence[str]) -> Iterator[list[str]]:
    """Gives flags and arguments their paths, and delivers when the block ended well.

    Args:
      module: of the command. STORES is its flags' Uses, a function where other flags
        decide; store_arguments(argv) says whether its arguments may be places to read.
      argv: the command's arguments without flags.

    Yields:
      argv with paths.

    Raises:
      UserError: a place that the command can't use, or see kfer.storage.
    """
    uses: Uses = getattr(module, "STORES", {})
    read = READ if getattr(module, "store_arguments", lambda _: False)(argv) else None
    with contextlib.ExitStack() as stack:
        paths = [_path(stack, word, f"The argument {word}", read) for word in argv]
        own = [flag.name for flag in flags.FLAGS.get_key_flags_for_module(module)]
        # Some that the command takes are defined by modules it imports.
        for name in dict.fromkeys([*own, *uses]):
            if _names_a_place(flags.FLAGS[name].value):
                use = uses.get(name)
                use = use() if _is_function(use) else use
                _resolve(stack, flags.FLAGS[name], use)
        with _naming_places():
            yield paths


def _is_function(use: Any) -> bool:
    return callable(use) and not isinstance(use, Use)


def _names_a_place(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(isinstance(v, str) and "://" in v for v in values)


def _resolve(stack: contextlib.ExitStack, flag: Any, use: Use | None) -> None:
    if use is AS_IT_IS:
        return
    name = f"--{flag.name}"
    if isinstance(flag.value, list):
        flag.value = [_path(stack, value, name, use) for value in flag.value]
    else:
        flag.value = _path(stack, flag.value, name, use)


def _path(stack: contextlib.ExitStack, value: str, name: str, use: Use | None) -> str:
    """The path that stands for a value, which may be no place at all."""
    path = places.mounted(value)
    if not places.is_remote(path):
        return path
    places.check_no_password(value, name)
    if use is None:
        return places.local(value, name)
    if use.read:
        return use.read(path)
    if use.start is None:
        return fetching.local_copy(path, use.needs)
    kind = staging.StagedFile if use is WRITE_FILE else staging.Staging
    staged = kind(objects.Place(path), use.order)
    stack.enter_context(staging.opened(staged))
    use.start(staged)
    stack.push(_delivering(staged))
    return staged.path


def _delivering(staged: staging.Staging) -> Callable[..., None]:
    def leave(kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            staged.deliver()
            staged.close()

    return leave


class _Naming:
    """A stream that says places instead of the paths that stand for them."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(fetching.shown(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _naming_places() -> Iterator[None]:
    with contextlib.redirect_stdout(_Naming(sys.stdout)):
        yield
