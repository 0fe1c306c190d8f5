"""Compiles a pipeline to the Kubeflow (Vertex) specification, without a network."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from kfer.errors import UserError
from kfer.lineage import digest
from kfer.preprocess.ingest import Source
from kfer.storage import places as kfer_places
from kfer.storage import whole
from pipelines import create_pipeline, schemas
from pipelines.config import OWN_DATA, PipelineConfig
from pipelines.places import Data, Places, beam_flags, code_packages, digest_of


@dataclasses.dataclass(frozen=True)
class Resources:
    """What each training's container asks for; 0 and '' leave it to the cluster.

    Attributes:
      cpus: cores.
      memory_gib: memory, in GiB.
      gpus: accelerators.
      gpu_type: their kind, as the cluster names it (nvidia.com/gpu, NVIDIA_TESLA_T4).
    """

    cpus: float = 0.0
    memory_gib: float = 0.0
    gpus: int = 0
    gpu_type: str = ""

    def __post_init__(self):
        """Raises UserError for GPUs without a kind, or a kind without GPUs."""
        if bool(self.gpus) != bool(self.gpu_type):
            raise UserError(
                f"GPUs have a number and a kind; got {self.gpus} of {self.gpu_type!r}"
            )


def compile_pipeline(
    config: PipelineConfig,
    root: str,
    image: str,
    out: str,
    data_dir: str = "",
    teacher_data_dir: str = "",
    beam_args: Sequence[str] = (),
    resources: Resources = Resources(),
) -> str:
    """Writes the pipeline's specification.

    Args:
      config: see pipelines.config.named.
      root: folder for artifacts, checkpoints, models and ROOT/schemas (a copy of the
        label schemas; that of one's own data is written beside `out`). Vertex wants
        gs://BUCKET/FOLDER, which it mounts in every container as /gcs/BUCKET/FOLDER
        (either name will do); elsewhere a path that is mounted in all.
      image: container image in which kfer is installed.
      out: file to write; .json is schema 2.0, .yaml 2.1.
      data_dir, teacher_data_dir: raw data, as mounted in the containers. Where they
        are mounted here too, their digest goes into the cache keys.
      beam_args: of each Beam component; the runner is FnApiRunner unless named.
      resources: of every Trainer, the teacher's too.

    Returns:
      The file.

    Raises:
      UserError: another ending, or a folder is missing or one too many.
    """
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as kubeflow

    if not out.endswith((".json", ".yaml")):
        raise UserError(f"The specification is a .json or .yaml file, not {out}")
    places = _places(config, root, image, (data_dir, teacher_data_dir), beam_args)
    out = os.path.abspath(out)
    runner = kubeflow.KubeflowV2DagRunner(
        kubeflow.KubeflowV2DagRunnerConfig(
            default_image=image, use_pipeline_spec_2_1=out.endswith(".yaml")
        ),
        output_dir=os.path.dirname(out),
        output_filename=os.path.basename(out),
    )
    with whole.disk(out):
        os.makedirs(os.path.dirname(out), exist_ok=True)
        pipeline = create_pipeline.create_pipeline(config, places)
        _ask_for(pipeline, resources)
        runner.run(pipeline, write_out=True)
        if config.name == OWN_DATA:
            schema = os.path.join(os.path.dirname(out), _schema_name(config))
            whole.write_text(schema, schemas.text_of(config))
    return out


def _ask_for(pipeline: Any, resources: Resources) -> None:
    """Gives the pipeline's Trainers what they ask the cluster for."""
    from kfp.pipeline_spec import pipeline_spec_pb2
    from tfx.components.trainer.component import Trainer

    if resources == Resources():
        return
    container = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec
    spec = container.ResourceSpec(
        cpu_limit=resources.cpus, memory_limit=resources.memory_gib
    )
    if resources.gpus:
        spec.accelerator.type = resources.gpu_type
        spec.accelerator.count = resources.gpus
    for node in pipeline.components:
        if isinstance(node, Trainer):
            node.with_platform_config(spec)


def _places(
    config: PipelineConfig,
    root: str,
    image: str,
    data_dirs: tuple[str, str],
    beam_args: Sequence[str],
) -> Places:
    """What the containers find where; `data_dirs` are the data's and the teacher's."""
    teacher = config.teacher
    root, mounted = bucket_path(root), mounted_path(root)
    data_dir, teacher_data_dir = map(mounted_path, data_dirs)
    name = os.path.basename
    return Places(
        pipeline_root=f"{root}/artifacts/{config.name}",
        work_dir=f"{mounted}/checkpoints",
        push_dir=f"{mounted}/models/{config.name}",
        data=_data(
            config.source,
            data_dir,
            f"{mounted}/schemas/{_schema_name(config)}",
        ),
        teacher=_data(
            teacher.source,
            teacher_data_dir,
            f"{mounted}/schemas/{name(schemas.path_of(config, teacher=True))}",
        )
        if teacher
        else None,
        code_version=digest.of_code(code_packages()),
        beam_args=beam_flags(image, beam_args),
        cluster=True,
    )


def _schema_name(config: PipelineConfig) -> str:
    if config.name == OWN_DATA:
        return schemas.name_of(config)
    return os.path.basename(schemas.path_of(config))


def mounted_path(place: str) -> str:
    """gs://BUCKET/x as Vertex's containers see it; other places as they are."""
    if place.startswith("gs://"):
        return place.replace("gs:/", kfer_places.GCS_MOUNT, 1)
    return place


def bucket_path(place: str) -> str:
    """/gcs/BUCKET/x as Vertex wants a root named; other places as they are."""
    inside = f"{kfer_places.GCS_MOUNT}/"
    if place.startswith(inside):
        return f"gs://{place.removeprefix(inside)}"
    return place


def _data(source: Source, folder: str, schema: str) -> Data:
    if source.needs_root != bool(folder):
        wanted = "needs its raw folder" if source.needs_root else "is drawn, not read"
        raise UserError(f"The data set {source.dataset} {wanted}; got {folder!r}")
    seen = digest_of(source, folder) if folder and os.path.isdir(folder) else ""
    return Data(folder, seen, schema)
