"""kfer.fit: trains a method on a data set and hands it over as a keras.Model."""

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from kfer import methods, runs
from kfer.audit import answers, label_sets
from kfer.data import holdout as holdout_lib
from kfer.data import own_data
from kfer.data.dataset import Dataset
from kfer.errors import UserError
from kfer.python import annotators, given, pixels
from kfer.python.model import Model, Origin
from kfer.settings import config as config_lib
from kfer.settings import own_data as own_data_settings
from kfer.training import compiling, run_folder
from kfer.training.loop import RunSettings

_OF_RUN = {field.name for field in dataclasses.fields(RunSettings)} - {"command"}


def fit(
    data: Dataset,
    method: str = "",
    epochs: int | None = None,
    *,
    tasks: Sequence[str] | str = (),
    recipe: str = "kfer",
    experiment: str = "",
    holdout: float | None = None,
    out_dir: str = "",
    **settings: Any,
) -> Model:
    """Trains as kfer-train does, with the same numbers.

    Args:
      data: of kfer.data.from_table, from_arrays or kfer.data.dataset.load.
      method: a key of kfer.METHODS; '' is 'kfer', and 'joint' of an experiment.
      epochs: passes over the training split; or say `steps` among the settings.
      tasks: label columns to learn, or their truths, one or more; all if empty.
      recipe: a key of kfer.RECIPES.
      experiment: a preset, a key of kfer.EXPERIMENTS, instead of what the data declare.
      holdout: share of the training pictures to keep back in 'valid', such as 0.1.
      out_dir: the run's folder, which the commands take as --run, and with which the
        same call goes on after an interruption; '' keeps none.
      **settings: of ExperimentConfig, Recipe, Optimization, the method's options or
        RunSettings, such as batch_size=32, width=0.25, learning_rate=1e-3, seed=1,
        steps=500, deterministic=True.

    Raises:
      UserError: an unknown setting, both steps and epochs, data that can't be learned
        from, or the run was interrupted by a signal.
    """
    if not isinstance(data, Dataset):
        raise UserError(
            f"kfer.fit takes a kfer data set, got {type(data).__name__}; make one with "
            "kfer.data.from_arrays or kfer.data.from_table"
        )
    run_settings = {k: settings.pop(k) for k in [*settings] if k in _OF_RUN}
    if epochs is not None:
        if run_settings.get("steps"):
            raise UserError("steps and epochs both say how long to train; give one")
        settings["epochs"] = epochs
    tasks = given.one_or_more("tasks", tasks)
    chosen = method or own_data_settings.method_for(experiment)
    settings |= {"method": chosen, "recipe": recipe}
    with _folder(out_dir) as run_dir:
        if holdout is not None:
            kept = os.path.join(run_dir, "data", "holdout")
            data = holdout_lib.make(data, holdout, kept, "kfer.fit")
        if experiment:
            config = config_lib.experiment_config(experiment, **settings)
        else:
            config = own_data.experiment_of(data, tasks, **settings)
        config = methods.resolve_tasks(config)
        found = runs.train(config, data, run_dir, RunSettings(**run_settings))
        if found["interrupted"]:
            raise UserError(f"Training was stopped by a signal; {_going_on(out_dir)}")
        return of_run(run_dir, data)


def _going_on(out_dir: str) -> str:
    if out_dir:
        return f"the same call goes on in {out_dir}"
    return "with an out_dir the same call would go on"


@contextlib.contextmanager
def _folder(out_dir: str) -> Iterator[str]:
    if out_dir:
        yield os.fspath(out_dir)
        return
    with tempfile.TemporaryDirectory(prefix="kfer-run-") as folder:
        yield os.path.join(folder, "run")


def of_run(run_dir: str, data: Dataset) -> Model:
    """The model of a finished run.

    Args:
      run_dir: of kfer-train or kfer.fit.
      data: that it learned from.
    """
    method, config, step = compiling.restored(run_dir)
    # Only training needs them, and they are twice the size of the networks.
    method.generator_optimizer = method.discriminator_optimizer = None
    method.decoder_optimizer = None
    sets = label_sets.read(data, "train")
    found = answers.of_method(method, config, data, "train", sets, {})
    origin = Origin(
        step,
        data.content_hash,
        pixels.preparation(data.notes),
        tuple(annotators.rows(data, sets, config, found.by_target)),
        tuple(run_folder.read_history(run_dir)),
    )
    return Model(method, origin)
