"""Makes the state of run_step.py a run folder of kfer's (needs TensorFlow).

python benchmarks/xla/import_run.py --dir=EXPORT --state=DIR --data_dir=DIR \
    --out_dir=RUN

RUN gets the config, a checkpoint with all variables (kfer-train goes on from it) and
the curves; kfer-evaluate, kfer-export and kfer-predict read it as any other run.
"""

import json
import os
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import pack
from absl import flags

from kfer.bin import common
from kfer.errors import UserError
from kfer.settings import config as config_lib

FLAGS = flags.FLAGS

flags.DEFINE_string("dir", "", "What export_step.py wrote.")
flags.DEFINE_string("state", "", "What run_step.py or pack.py wrote.")
flags.DEFINE_string("data_dir", "", "The data set that was exported.")
flags.DEFINE_string("out_dir", "", "The run folder to make.")


def import_run(export_dir: str, state_dir: str, dataset: Any, out_dir: str) -> int:
    """Writes the run folder; returns its step.

    Args:
      export_dir: of export_step.py.
      state_dir: of run_step.py, or of pack.py, which holds the encoder alone.
      dataset: the data set that was exported.
      out_dir: new, or of the same run.

    Raises:
      UserError: the state is another export's, or the data set is another.
    """
    from kfer.evaluation import scoring
    from kfer.training import compiling, run_folder
    from kfer.training.checkpoints import Checkpoints

    content = run_folder.read_json(os.path.join(export_dir, "map.json"))
    config = config_lib.from_dict(content["config"])
    if dataset.content_hash != content["content_hash"]:
        raise UserError(f"{dataset.root} is not the data set that was exported")
    method = compiling.compiled(config)
    step, arrays = read_state(state_dir)
    assign(method, content["variables"], arrays)
    run_folder.claim(out_dir, config, dataset, common.command_line())
    with open(os.path.join(state_dir, "curves.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    # The last evaluation in full; those before it as the runner scored them.
    rows[-1]["test"] = scoring.evaluate(method, dataset, config)
    run_folder.write_history(out_dir, rows)
    Checkpoints(method, out_dir).save(step)
    return step


def read_state(folder: str) -> tuple[int, dict[str, np.ndarray]]:
    """The step and the variables of run_step.py's state, or of what pack.py made of it.

    Raises:
      UserError: it is neither.
    """
    try:
        if os.path.exists(os.path.join(folder, pack.INDEX)):
            return pack.unpack(folder)
        with np.load(os.path.join(folder, "state.npz"), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored}
        return int(arrays.pop("step")), arrays
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"Can't read the state in {folder}: {error}") from error


def assign(method: Any, rows: list[dict[str, Any]], arrays: dict[str, Any]) -> None:
    """Fills a built method's variables by their names in map.json.

    Raises:
      UserError: they don't fit the method.
    """
    import exporting

    by_name = {
        row["name"]: variable
        for row, variable in zip(rows, exporting.variables_of(method), strict=False)
    }
    for name, array in arrays.items():
        if name not in by_name or by_name[name].shape != array.shape:
            raise UserError(f"{name} doesn't fit this version of kfer; export again")
        by_name[name].assign(array)


def main(argv: Sequence[str]) -> int:
    from kfer.data import dataset as dataset_lib

    names = ("dir", "state", "data_dir", "out_dir")
    if len(argv) > 1 or not all(getattr(FLAGS, name) for name in names):
        raise UserError("Name --dir, --state, --data_dir and --out_dir")
    dataset = dataset_lib.load(FLAGS.data_dir)
    step = import_run(FLAGS.dir, FLAGS.state, dataset, FLAGS.out_dir)
    print(f"{FLAGS.out_dir} stands at step {step}")
    return 0


if __name__ == "__main__":
    common.run(main)
