"""What S_joint makes of the label sets: suspicious labels and contradictions."""

from typing import Any

import numpy as np

from kfer.audit import contradictions, joint_score, suspicion
from kfer.audit.answers import Answers
from kfer.audit.label_sets import LabelSets, given
from kfer.metrics import ranking
from kfer.tasks import LabelTask


def stream_of(answers: Answers, column: str) -> LabelTask | None:
    """The stream task that learned a label column, if S_joint sees it."""
    tasks = answers.config.stream_tasks if answers.joint else ()
    return next((task for task in tasks if task.column == column), None)


def scores(answers: Answers, column: str, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The suspicion scores JOINT, -S_joint of the picture with its labels as given, and
    DROP, see joint_score.drops, each [n]; {} where S_joint doesn't see the column."""
    task = stream_of(answers, column)
    if task is None:
        return {}
    whole = np.where(given(labels), -answers.joint[joint_score.GIVEN], np.nan)
    drop = joint_score.drops(answers.joint, task, labels)
    return {suspicion.JOINT: whole, suspicion.DROP: drop}


def listed(answers: Answers, sets: LabelSets) -> list[dict[str, Any]]:
    """By S_joint: pictures whose class it would rather have another, given the values.

    Returns:
      For each pair of columns that it sees: 'compared', 'by_rule' (contradictions'
      rule's count), 'auprc' of the drop against the rule, 'chance', and the LISTED
      'worst' by drop.
    """
    found = []
    for name, value in contradictions.pairs(sets):
        task = stream_of(answers, name)
        if task is None or stream_of(answers, value) is None:
            continue
        labels, classes = sets.labels[name], sets.columns[name].classes
        beyond = contradictions.excess(labels, classes, sets.labels[value])
        known = np.flatnonzero(~np.isnan(beyond))
        drop = joint_score.drops(answers.joint, task, labels)
        order = known[np.argsort(-drop[known], kind="stable")]
        flags = beyond[known] > 0
        found.append(
            {
                "classes": name,
                "values": value,
                "compared": len(known),
                "by_rule": int(flags.sum()),
                "chance": float(flags.mean()) if len(known) else None,
                "auprc": ranking.average_precision(flags, drop[known]),
                "worst": [
                    {
                        "image_id": sets.ids[i],
                        "label": classes[labels[i]],
                        "values": sets.labels[value][i].tolist(),
                        "rather": classes[_rather(answers, task, labels, i)],
                        "drop": float(drop[i]),
                        "by_rule": bool(beyond[i] > 0),
                    }
                    for i in order[: contradictions.LISTED]
                ],
            }
        )
    return found


def _rather(answers: Answers, task: LabelTask, labels: np.ndarray, row: int) -> int:
    """The other class that S_joint likes best."""
    scores = answers.joint[task.name][row].copy()
    scores[labels[row]] = -np.inf
    return int(scores.argmax())
