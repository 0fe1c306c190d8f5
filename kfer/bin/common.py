"""What every console command shares: quiet start, one-line errors, exit codes, help."""

import contextlib
import functools
import importlib.util
import logging as python_logging
import os
import shlex
import sys
import tempfile
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from absl import app, flags, logging

import kfer
from kfer.errors import UserError
from kfer.storage import fetching

_HELP = {"--help", "-help", "-h", "-?", "--helpshort", "--helpfull", "--helpxml"}

# Beam's import warns of a package that its own TFRecord files need, which kfer's don't.
_NOT_NEEDED = "crcmod package not found"

# What TensorFlow's start writes to stderr though nothing is wrong.
_HARMLESS = (
    b"Unable to register cu",
    b"TF-TRT Warning",
    # of TensorFlow 2.21, whatever its log level
    b"before absl::InitializeLog()",
    b"oneDNN custom operations are on",
    b"Could not find cuda drivers",
    b"optimized to use available CPU instructions",
    b"To enable the following instructions",
    b"UNKNOWN ERROR (303)",  # no CUDA driver
)


def run(main: Callable[[Sequence[str]], Any], tensorflow: bool = True) -> None:
    """Runs a command's main and ends the process.

    Exit status: 0, or what main returns; 2 after a UserError, which is printed as one
    line, and for a wrong flag; 130 after Ctrl-C; 1 with a traceback for anything else,
    which is a bug.

    Args:
      main: takes argv without flags. Its module's flags and docstring are the --help.
      tensorflow: whether TensorFlow is imported before main is called.
    """
    quiet()
    module = sys.modules[main.__module__]
    _own_help(module)
    name = _command_name(module)

    def guarded(argv: Sequence[str]) -> Any:
        from kfer.bin import remote

        try:
            with remote.resolved(module, argv[1:]) as arguments:
                if tensorflow:
                    import_tensorflow()
                return main([*argv[:1], *arguments])
        except UserError as error:
            print(fetching.shown(f"{name}: error: {error}"), file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print(f"{name}: interrupted", file=sys.stderr)
            return 130

    app.run(guarded, flags_parser=functools.partial(_parse, name))


def _command_name(module: types.ModuleType) -> str:
    """'kfer-train' of train_main.py, however it was started."""
    stem = os.path.basename(module.__file__ or "").removesuffix(".py")
    return "kfer-" + stem.removesuffix("_main").replace("_", "-")


def _parse(name: str, argv: Sequence[str]) -> list[str]:
    """absl's parser; asking for help is no failure, and a wrong flag is one line."""
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        print(f"{name}: error: {error}; --help lists the flags", file=sys.stderr)
        sys.exit(2)
    except SystemExit:
        if _HELP.intersection(argv):
            sys.exit(0)
        raise


def quiet() -> None:
    """Silences what libraries say at import; to be called before TensorFlow's."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)
    logging.set_stderrthreshold("info")
    form = _NamingPlaces("%(asctime)s %(levelname).1s %(message)s", "%X")
    logging.get_absl_handler().setFormatter(form)
    logging.get_absl_handler().addFilter(_is_ours_or_matters)


class _NamingPlaces(python_logging.Formatter):
    """Says places of object stores, not the paths of their copies."""

    def format(self, record: python_logging.LogRecord) -> str:
        return fetching.shown(super().format(record))


def _is_ours_or_matters(record: python_logging.LogRecord) -> bool:
    """Libraries are heard from warnings on, kfer from information on."""
    path = record.pathname
    theirs = "site-packages" in path and os.path.dirname(kfer.__file__) not in path
    if _NOT_NEEDED in str(record.msg):
        return False
    return not theirs or record.levelno >= python_logging.WARNING


def needs_tfx(package: str = "tfx") -> None:
    """Raises UserError where TFX, or that package of its environment, is missing."""
    if importlib.util.find_spec(package) is None:
        raise UserError(
            f"This command needs {package}, which is missing; install kfer[pipeline], "
            "which wants Python 3.11"
        )


def import_tensorflow() -> None:
    """Imports TensorFlow without the lines that look like errors and are none."""
    if "tensorflow" not in sys.modules:
        with _filtered_stderr(_HARMLESS):
            import tensorflow as tf

            # 2.21 tells of a driver that isn't there when it is asked for devices.
            tf.config.list_physical_devices()


@contextlib.contextmanager
def _filtered_stderr(harmless: tuple[bytes, ...]) -> Iterator[None]:
    """Holds back what is written to stderr's descriptor, then passes it on."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            for line in held:
                if not any(text in line for text in harmless):
                    os.write(2, line)


def _own_help(module: types.ModuleType) -> None:
    # absl shows the flags of the module that is run, here a two-line script.
    for flag in flags.FLAGS.get_key_flags_for_module(module):
        flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
    sys.modules["__main__"].__doc__ = module.__doc__


def command_line() -> str:
    """The command as it was typed, for records."""
    return shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]])


def numbers(values: Sequence[str], flag: str) -> tuple[float, ...]:
    """The values of a list flag as numbers; UserError names the flag."""
    try:
        return tuple(float(value) for value in values)
    except ValueError as error:
        raise UserError(
            f"--{flag} takes numbers separated by commas, got {','.join(values)!r}"
        ) from error


def say_near_copies(dataset: Any, remove: bool) -> Any:
    """Warns of pictures that look like one of another split; the data set without them
    if they are to go."""
    from kfer.data import near_copies

    count = sum(info.num_records for info in dataset.splits.values())
    if count > near_copies.MANY and not remove:
        logging.info(
            "%d pictures: near copies are looked for with --remove_near_copies", count
        )
        return dataset
    dataset, found = near_copies.report(dataset, remove)
    if found:
        done = "set aside" if remove else "--remove_near_copies sets them aside"
        logging.warning("%s; %s", near_copies.describe(found), done)
    return dataset
