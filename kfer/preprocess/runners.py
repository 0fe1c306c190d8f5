"""Beam's flags -> a pipeline with the runner that they name."""

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from kfer.errors import UserError

# Beam's own default downloads a program; this runner is part of the Beam package.
DEFAULT = "--runner=FnApiRunner"
# Beam's own runner of this name would give wrong results, see dask_runner.py.
_OWN = {"daskrunner": "kfer.preprocess.dask_runner.DaskRunner"}
_FLAGS = ("--runner", "-runner")


def flags(args: Sequence[str]) -> list[str]:
    """Beam's flags with the runner named.

    Args:
      args: `--runner=X` or `--runner X` among others, or no runner.
    """
    found = list(args)
    named = [at for at, arg in enumerate(args) if arg.split("=")[0] in _FLAGS]
    for at in named:
        name = args[at].partition("=")[2]
        if name:
            found[at] = f"--runner={_own(name)}"
        elif at + 1 < len(args):
            found[at + 1] = _own(args[at + 1])
    return found if named else [DEFAULT, *found]


def is_own(args: Sequence[str]) -> bool:
    """Whether Beam's flags name kfer's own runner, which knows kfer's jobs alone."""
    found = flags(args)
    return any(own in word.split("=") for own in _OWN.values() for word in found)


def _own(name: str) -> str:
    # Beam takes 'Dask' and 'daskrunner' for DaskRunner too.
    lower = name.lower()
    return _OWN.get(lower, _OWN.get(f"{lower}runner", name))


def pipeline(args: Sequence[str]) -> beam.Pipeline:
    """A pipeline that will run where the flags say.

    Raises:
      UserError: there is no such runner, or it needs what isn't there.
    """
    named = flags(args)
    try:
        return beam.Pipeline(options=PipelineOptions(named))
    except (ValueError, ImportError, AttributeError) as error:
        raise UserError(f"Beam refuses {' '.join(named)}: {error}") from error
