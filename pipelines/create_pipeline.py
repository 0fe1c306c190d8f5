"""A pipeline's config -> TFX's Pipeline. No I/O: the runners know where things are."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import tensorflow_data_validation as tfdv
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.common import resolver
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.orchestration import pipeline as pipeline_lib
from tfx.proto import trainer_pb2
from tfx.types import Channel, standard_artifacts

from components.face_example_gen.component import FaceExampleGen
from components.fer_evaluator.component import fer_evaluator
from components.label_gate.component import label_gate
from components.label_noiser.component import label_noiser
from components.last_blessed import LastOtherBlessed
from components.model_pusher.component import model_pusher
from components.relabeler.component import Relabeler
from components.serving_check.component import serving_check
from kfer.data import label_noise, label_schema
from kfer.data.record import Column
from kfer.preprocess import ingest
from kfer.preprocess.ingest import Source
from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig
from pipelines.config import Declared, PipelineConfig, Running
from pipelines.places import Data, Places, TeacherModel

RUN_FN = "components.trainer.run_fn.run_fn"


def create_pipeline(
    config: PipelineConfig, places: Places, metadata: Any = None
) -> pipeline_lib.Pipeline:
    """The pipeline of a config.

    Args:
      config: see PipelineConfig.
      places: see Places.
      metadata: TFX's connection config of ML Metadata; None on a cluster.
    """
    nodes: list[Any] = []
    examples = _add_examples(nodes, config, places)
    gate = _add_gate(nodes, places, "", examples, config.columns(), places.data)
    trainers = [
        _add_trainer(
            nodes,
            places,
            f"trainer_{experiment.method}",
            examples,
            gate,
            experiment,
            config.steps,
            config.running,
        )
        for experiment in _experiments(config)
    ]
    _add_judgement(nodes, config, places, examples, trainers[-1], trainers[:-1])
    return pipeline_lib.Pipeline(
        # Kubeflow takes no underscore.
        pipeline_name=config.name.replace("_", "-") if places.cluster else config.name,
        pipeline_root=places.pipeline_root,
        components=nodes,
        enable_cache=True,
        metadata_connection_config=metadata,
    )


def _experiments(config: PipelineConfig) -> list[ExperimentConfig | Declared]:
    """The rival's, if there is one, and the one that is judged."""
    own = config.experiment
    if config.rival and isinstance(own, ExperimentConfig):
        return [config_lib.with_method(own, config.rival), own]
    return [own]


def _add(nodes: list[Any], name: str, node: Any) -> Any:
    nodes.append(node.with_id(name))
    return node


def _add_examples(nodes: list[Any], config: PipelineConfig, places: Places) -> Any:
    """Reads the data, puts noise on it, or has the teacher relabel it."""
    examples = _add_reader(nodes, places, "", config.source, places.data)
    if config.noise.is_active:
        noise = label_noise.to_json(config.noise)
        noiser = label_noiser(
            examples=examples, noise=noise, code_version=places.code_version
        )
        examples = _add(nodes, "label_noiser", noiser).outputs["noisy"]
    if config.teacher:
        relabeler = Relabeler(
            examples,
            _add_teacher(nodes, config, places),
            ",".join(config.teacher.columns),
            places.code_version,
        ).with_beam_pipeline_args(list(places.beam_args))
        examples = _add(nodes, "relabeler", relabeler).outputs["relabeled"]
    return examples


def _add_reader(
    nodes: list[Any], places: Places, prefix: str, source: Source, data: Data
) -> Any:
    reader = FaceExampleGen(
        ingest.to_json(source), data.root, data.digest, places.code_version
    ).with_beam_pipeline_args(list(places.beam_args))
    return _add(nodes, f"{prefix}face_example_gen", reader).outputs["examples"]


def _add_teacher(nodes: list[Any], config: PipelineConfig, places: Places) -> Any:
    """Trains the teacher, or takes it as it is; its model."""
    teacher, data = config.teacher, places.teacher
    if isinstance(data, TeacherModel):
        importer = Importer(
            data.folder,
            artifact_type=standard_artifacts.Model,
            custom_properties={"digest": data.digest},
        )
        return _add(nodes, "teacher_importer", importer).outputs["result"]
    examples = _add_reader(nodes, places, "teacher_", teacher.source, data)
    columns = teacher.source.columns()
    gate = _add_gate(nodes, places, "teacher_", examples, columns, data)
    trainer = _add_trainer(
        nodes,
        places,
        "teacher_trainer",
        examples,
        gate,
        teacher.experiment,
        teacher.steps,
        config.running,
    )
    return trainer.outputs["model"]


def _add_gate(
    nodes: list[Any],
    places: Places,
    prefix: str,
    examples: Any,
    columns: tuple[dict[str, Column], dict[str, Column]],
    data: Data,
) -> Any:
    """TFX's statistics and validation of the labels, and what stops on anomalies."""
    # Label features alone: statistics of image bytes would cost much and say nothing.
    options = tfdv.StatsOptions(
        feature_allowlist=sorted(label_schema.features(*columns))
    )
    statistics = StatisticsGen(
        examples=examples, stats_options=options
    ).with_beam_pipeline_args(list(places.beam_args))
    _add(nodes, f"{prefix}statistics_gen", statistics)
    schema = _add(nodes, f"{prefix}schema_gen", ImportSchemaGen(data.schema))
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    _add(nodes, f"{prefix}example_validator", validator)
    gate = label_gate(
        examples=examples,
        statistics=statistics.outputs["statistics"],
        anomalies=validator.outputs["anomalies"],
        code_version=places.code_version,
    )
    return _add(nodes, f"{prefix}label_gate", gate)


def _add_trainer(
    nodes: list[Any],
    places: Places,
    name: str,
    examples: Any,
    gate: Any,
    experiment: ExperimentConfig | Declared,
    steps: int,
    running: Running,
) -> Any:
    trainer = Trainer(
        run_fn=RUN_FN,
        examples=examples,
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        # run_fn finds the split to score on; TFX wants one that is there.
        eval_args=trainer_pb2.EvalArgs(splits=["train"]),
        custom_config={
            **_learned(experiment),
            "steps": steps,
            "running": dataclasses.asdict(running),
            "work_dir": places.work_dir,
            "code_version": places.code_version,
            "command": f"{name} of a pipeline",
        },
    )
    trainer.add_upstream_node(gate)
    return _add(nodes, name, trainer)


def _learned(experiment: ExperimentConfig | Declared) -> dict[str, Any]:
    """What run_fn makes its config of."""
    if isinstance(experiment, ExperimentConfig):
        return {"experiment": config_lib.to_dict(experiment)}
    settings = {"names": experiment.names, "settings": dict(experiment.settings)}
    return {"declared": settings}


def _add_judgement(
    nodes: list[Any],
    config: PipelineConfig,
    places: Places,
    examples: Any,
    trainer: Any,
    rivals: Sequence[Any],
) -> None:
    model, run = trainer.outputs["model"], trainer.outputs["model_run"]
    version = places.code_version
    last = _add(nodes, "last_blessed", _last_blessed(model, places.cluster))
    evaluator = fer_evaluator(
        examples=examples,
        model=model,
        model_run=run,
        rival_run=rivals[0].outputs["model_run"] if rivals else None,
        last_blessed=last.outputs["model"],
        minimum=json.dumps(dict(config.minimum), sort_keys=True),
        largest_drop=config.largest_drop,
        code_version=version,
    )
    _add(nodes, "fer_evaluator", evaluator)
    check = serving_check(
        examples=examples, model=model, model_run=run, code_version=version
    )
    _add(nodes, "serving_check", check)
    pusher = model_pusher(
        model=model,
        blessing=evaluator.outputs["blessing"],
        serves=check.outputs["blessing"],
        push_dir=places.push_dir,
        code_version=version,
    )
    _add(nodes, "model_pusher", pusher)


def _last_blessed(model: Any, cluster: bool) -> Any:
    models = Channel(type=standard_artifacts.Model)
    blessings = Channel(type=standard_artifacts.ModelBlessing)
    if cluster:
        return resolver.Resolver(
            strategy_class=LatestBlessedModelStrategy,
            model=models,
            model_blessing=blessings,
        )
    return resolver.Resolver(
        strategy_class=LastOtherBlessed,
        model=models,
        blessing=blessings,
        current=model,
    )
