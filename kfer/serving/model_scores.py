"""An exported model -> its scores, as kfer.evaluation gives a run's."""

from collections.abc import Sequence
from typing import Any

from kfer.data import dataset as dataset_lib
from kfer.evaluation import scoring, yardstick
from kfer.serving import export, model_folder


def evaluate_model(
    model_dir: str,
    data_dir: str,
    split: str = "",
    batch_size: int = 0,
    predictions_path: str = "",
    against: str = "",
    slice_by: Sequence[str] = (),
) -> dict[str, Any]:
    """Scores a SavedModel of kfer.serving.export.

    'model' stands for 'run' in the result. Other arguments and errors are
    kfer.evaluation.scoring.evaluate_run's.
    """
    description = model_folder.read_description(model_dir)
    dataset = dataset_lib.load(data_dir)
    config, answers = export.load_answers(model_dir)
    found = {"model": model_dir, "step": description["step"]}
    compared = yardstick.choose(dataset, config, split, against)
    found |= scoring.report(
        answers, dataset, config, compared, batch_size, predictions_path, slice_by
    )
    if split or against:
        return found
    return found | scoring.elsewhere(answers, dataset, config, compared, batch_size)
