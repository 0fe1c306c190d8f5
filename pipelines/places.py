"""Where things are: what a runner knows and a config doesn't."""

import dataclasses
import os
from collections.abc import Sequence

from kfer.errors import UserError
from kfer.lineage import digest
from kfer.preprocess import runners
from kfer.preprocess.ingest import Source
from kfer.serving import asking
from pipelines.config import PipelineConfig


@dataclasses.dataclass(frozen=True)
class Data:
    """Where a data set comes from: raw folder, its digest, its label schema's file."""

    root: str
    digest: str
    schema: str


@dataclasses.dataclass(frozen=True)
class TeacherModel:
    """A teacher that is trained already: its folder and a digest of it."""

    folder: str
    digest: str


@dataclasses.dataclass(frozen=True)
class Places:
    """What a runner knows and a config doesn't.

    Attributes:
      pipeline_root: folder of the artifacts.
      work_dir: folder of the checkpoints.
      push_dir: folder that gets the versions.
      data: of the source.
      teacher: the teacher's data, or the teacher itself, if there is one.
      code_version: changes with kfer's sources, see kfer.lineage.digest.
      beam_args: of each Beam component: runner, workers, ...
      cluster: for Kubeflow, which knows TFX's own resolvers alone.
    """

    pipeline_root: str
    work_dir: str
    push_dir: str
    data: Data
    teacher: Data | TeacherModel | None
    code_version: str
    beam_args: tuple[str, ...]
    cluster: bool = False


def source_data(source: Source, folder: str, schema: str, flag: str) -> Data:
    """The raw data of a source that lies on this machine.

    Raises:
      UserError: the folder is missing, or one is named for data that is drawn.
    """
    if not source.needs_root:
        if folder:
            raise UserError(f"{source.dataset} is drawn; leave {flag} out")
        return Data("", "", schema)
    if not folder:
        raise UserError(f"Name the folder of {source.dataset} with {flag}")
    return Data(os.path.abspath(folder), digest_of(source, folder), schema)


def digest_of(source: Source, folder: str) -> str:
    """Changes with the raw folder, and with a table of ratings that lies elsewhere."""
    table = (source.options.table or {}).get("path", "")
    found = digest.of_raw_data(folder)
    if os.path.isfile(table):
        state = os.stat(table)
        found += f"-{state.st_size}-{state.st_mtime_ns}"
    return found


def check_teacher(config: PipelineConfig, data_dir: str, model: str) -> None:
    """Raises UserError unless the teacher's data or model are named as needed."""
    if not config.teacher and (data_dir or model):
        raise UserError(f"The pipeline {config.name} has no teacher")
    if data_dir and model:
        raise UserError(
            "Name a --teacher_model, or the --teacher_data_dir that it is to learn "
            "from, not both"
        )


def teacher_model(path: str) -> TeacherModel:
    """A teacher that is trained already: a SavedModel, or a run's folder with one."""
    folder = os.path.abspath(asking.find_model(path))
    return TeacherModel(folder, digest.of_raw_data(folder))


def beam_flags(image: str, args: Sequence[str]) -> tuple[str, ...]:
    """Beam's flags of a component, with the runner and the workers' image named.

    Beam's own default runner would download a program; and without a flag about
    dependencies, TFX packs itself anew for each component.

    Raises:
      UserError: a runner that can't run statistics_gen, which every pipeline has.
    """
    if runners.is_own(args):
        raise UserError(
            "--beam_args: kfer's DaskRunner can't run statistics_gen, whose reads are "
            "splittable; take another runner, or kfer-preprocess, which runs on Dask"
        )
    flags = runners.flags(args)
    at = len(flags) - len(args)  # behind the runner where it wasn't named
    return (*flags[:at], f"--sdk_container_image={image}", *flags[at:])


def code_packages() -> list[str]:
    """Folders whose code decides what the components make.

    Of kfer these are all rooms but those that only commands use.
    """
    import components
    import kfer

    (root,), (other,) = kfer.__path__, components.__path__
    unused = ("bin", "audit", "experiments", "lineage", "__pycache__")
    rooms = sorted(e.path for e in os.scandir(root) if e.is_dir())
    return [r for r in rooms if os.path.basename(r) not in unused] + [other]
