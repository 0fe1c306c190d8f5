"""How well wrong labels are ranked, beside cleanlab on the same posterior: a JSON line.

python benchmarks/suspicion.py --run=RUN --data_dir=DATA [--step=N] [--unseen_of=OTHER]

For every label set of classes whose truth is known, the area under the precision-recall
curve of "this label is wrong" by kfer-audit's scores and by cleanlab's: label quality
scores, and CROWDLAB for the annotators. With --unseen_of, pictures of that data set's
split are left out of the areas: name what the model was trained on, and audit more.
"""

import json
import warnings
from collections.abc import Sequence
from typing import Any

from absl import flags

from kfer.bin import common
from kfer.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("run", None, "A run of kfer-train.", required=True)
flags.DEFINE_string("data_dir", None, "A prepared data set.", required=True)
flags.DEFINE_string("split", "train", "Whose labels are judged.")
flags.DEFINE_integer("step", 0, "Of the run's checkpoint; 0: the newest.", 0)
flags.DEFINE_string("unseen_of", "", "A data set whose pictures don't count.")

_METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def cleanlabs(model: Any, labels: Any) -> dict[str, Any]:
    """cleanlab's scores [n] of one label set without missing labels, high is wrong."""
    from cleanlab import rank

    return {
        f"cleanlab {method}": 1
        - rank.get_label_quality_scores(labels, model, method=method)
        for method in _METHODS
    }


def crowdlabs(model: Any, stack: Any) -> Any:
    """CROWDLAB's scores [k, n] of all annotators' labels, high is wrong."""
    import pandas as pd
    from cleanlab import multiannotator

    table = pd.DataFrame(stack.T).replace(-1, float("nan"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = multiannotator.get_label_quality_multiannotator(
            table, model, verbose=False
        )
    return 1 - found["detailed_label_quality"].to_numpy(float).T


def areas(scores: dict[str, Any], labels: Any, truth: Any) -> tuple[Any, float]:
    """suspicion.precision, and how far scikit-learn's area is from ours at most."""
    from sklearn import metrics

    from kfer.audit import suspicion

    found = suspicion.precision(scores, labels, truth)
    bad, known = suspicion.wrong(labels, truth)
    apart = [
        abs(area - metrics.average_precision_score(bad[known], scores[name][known]))
        for name, area in found["auprc"].items()
        if area is not None
    ]
    found["auprc"] = {n: a and round(a, 4) for n, a in found["auprc"].items()}
    return found, max(apart, default=0.0)


def measure() -> dict[str, Any]:
    """The line's content."""
    import numpy as np

    from kfer.audit import answers, audit, judgement, label_sets
    from kfer.data import dataset as dataset_lib

    dataset = dataset_lib.load(FLAGS.data_dir)
    found = audit.audit(FLAGS.data_dir, FLAGS.split)
    sets = found.sets
    given = answers.collect(FLAGS.run, dataset, FLAGS.split, sets, FLAGS.step)
    judged = judgement.judge(found, given)
    if "precision" not in judged.summary.get("classes", {}):
        raise UserError(f"{FLAGS.data_dir} has no class whose truth is known")
    model = given.by_target[judged.summary["classes"]["target"]]
    counted = np.ones(len(sets.ids), bool)
    if FLAGS.unseen_of:
        other = label_sets.read(dataset_lib.load(FLAGS.unseen_of), FLAGS.split)
        counted = ~np.isin(sets.ids, other.ids)
    names = sets.annotators()
    stack = np.stack([sets.labels[name] for name in names])
    crowd = dict(zip(names, crowdlabs(model, stack), strict=True))
    rows, apart, truth = {}, [0.0], sets.truth(names[0])[1]
    for name in judged.summary["classes"]["precision"]:
        labels, scores = sets.labels[name], dict(judged.rankings[name].scores)
        if (labels >= 0).all():
            scores |= cleanlabs(model, labels)
        if name in crowd:
            scores["cleanlab CROWDLAB"] = crowd[name]
        rows[name], difference = areas(scores, np.where(counted, labels, -1), truth)
        apart.append(difference)
    right = (model.argmax(axis=1) == truth)[counted]
    return {
        "method": given.run["method"],
        "step": given.run["step"],
        "pictures": int(counted.sum()),
        "model_accuracy": round(float(right.mean()), 4),
        "label_sets": rows,
        "furthest_from_scikit_learn": max(apart),
        "command": common.command_line(),
    }


def main(argv: Sequence[str]) -> int:
    print(json.dumps(measure()))
    return 0


if __name__ == "__main__":
    common.run(main)
