"""The pipeline of one's own data: columns, schema and tasks follow from what they say.

The data are a prepared data set, or a table of ratings and a folder of pictures, which
is read as kfer-data import reads it.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from kfer import methods
from kfer.data import dataset as dataset_lib
from kfer.data import folder, own_data
from kfer.data.datasets import ReaderOptions
from kfer.data.importing import describe, sources
from kfer.data.importing.options import from_dict
from kfer.errors import UserError
from kfer.evaluation import judgement
from kfer.preprocess import ingest
from kfer.preprocess.ingest import Source
from kfer.settings.own_data import METHOD, image_size_for
from pipelines.config import OWN_DATA, Declared, PipelineConfig


def config_of(
    data_dir: str,
    table: Mapping[str, Any] | None = None,
    names: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    limit: Mapping[str, int] | None = None,
    minimum: Mapping[str, float] | None = None,
    steps: int = 0,
) -> PipelineConfig:
    """The pipeline of a data set of one's own.

    Args:
      data_dir: a prepared data set, or the folder that a table's picture names start
        from; without a table, its manifest or its class folders are read.
      table: fields of importing.options.TableOptions, for data that aren't prepared.
      names: label columns to learn, or their truths; all if empty.
      settings: of the experiment, see kfer.data.own_data.experiment_of.
      limit: split -> the first so many pictures of a table.
      minimum: 'target/measure' -> least value for a blessing; none if not given: then
        a model is only compared with the last blessed one.
      steps: of training; 0 means the experiment's epochs.

    Raises:
      UserError: no such data, or they don't say what is asked for.
    """
    if not os.path.isdir(data_dir):
        raise UserError(
            "own_data needs a --data_dir, a prepared data set or a folder of pictures; "
            f"got {data_dir!r}"
        )
    settings = {"recipe": "kfer", "method": METHOD, **(settings or {})}
    methods.method_row(settings["method"])
    if os.path.isfile(os.path.join(data_dir, folder.MANIFEST)):
        source, learned = _prepared(data_dir, table or {}, limit or {})
    else:
        source, learned = _table(data_dir, table or {}, limit or {}, settings)
    columns, clean = learned
    tasks = own_data.tasks_of_columns(columns, clean, data_dir, names)
    judgement.check(minimum or {}, tasks)
    return PipelineConfig(
        name=OWN_DATA,
        source=source,
        experiment=Declared(tuple(names), settings, columns, clean),
        steps=steps,
        minimum=tuple(sorted((minimum or {}).items())),
    )


def understood(data_dir: str, table: Mapping[str, Any]) -> str:
    """What is understood of a table, as kfer-data import says it; '' if prepared."""
    if os.path.isfile(os.path.join(data_dir, folder.MANIFEST)):
        return ""
    options = from_dict(table)
    return describe.describe(*sources.load(data_dir, options), options)


def _prepared(
    data_dir: str, table: Mapping[str, Any], limit: Mapping[str, int]
) -> tuple[Source, tuple[dict, dict]]:
    if table or limit:
        raise UserError(
            f"{data_dir} is a prepared data set, taken as it is; leave out "
            f"{'what says how to read a table' if table else '--num_train, --num_test'}"
        )
    dataset = dataset_lib.load(data_dir)
    return Source(ingest.PREPARED), (dataset.columns, dataset.clean_columns)


def _table(
    data_dir: str,
    table: Mapping[str, Any],
    limit: Mapping[str, int],
    settings: Mapping[str, Any],
) -> tuple[Source, tuple[dict, dict]]:
    found, made = sources.load(data_dir, from_dict(table))
    options = ReaderOptions(
        seed=settings.get("seed", 0),
        limit=dict(limit) or None,
        image_size=settings.get("image_size", image_size_for(0)),
        table=dict(table),
    )
    source = Source(ingest.TABLE, options, "eyes" if found.has_faces else "none")
    return source, (made.columns, made.clean_columns)
