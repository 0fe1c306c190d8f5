"""An audit with a trained model: annotators, suspicious labels and what they should be.

Annotators are judged against the model's posterior instead of the truth; the truth,
where it is known, tells how good that is.
"""

from typing import Any, NamedTuple

import numpy as np

from kfer import tasks as tasks_lib
from kfer.audit import crowd_judgement, joint_labels, learned, suspicion, values
from kfer.audit.answers import Answers
from kfer.audit.audit import Audit
from kfer.audit.class_labels import ClassLabels
from kfer.audit.crowd_judgement import CrowdJudgement
from kfer.audit.label_sets import LabelSets, given
from kfer.audit.rankings import DOUBT_LIMIT, RESIDUAL_LIMIT, Ranking
from kfer.data import meanings
from kfer.errors import UserError


class Judgement(NamedTuple):
    """What an audit with a model finds."""

    summary: dict[str, Any]  # plain and JSON-able; see docs/guide/audit.md
    rankings: dict[str, Ranking]  # column -> its labels
    posterior: np.ndarray | None  # [n, K] behind the classes proposed
    crowds: dict[str, CrowdJudgement] = {}  # crowd column -> its labels


def judge(
    found: Audit, answers: Answers, score: str = "", limit: float = DOUBT_LIMIT
) -> Judgement:
    """Judges the label sets of an audit by a model's answers.

    Args:
      found: the audit of the labels alone.
      answers: of the model, on the same split.
      score: suspicion.MODEL or BOTH, which proposes classes; '' takes BOTH where two
        annotators or more have labels, else MODEL: with one annotator EM can't tell
        their errors from the model's.
      limit: of the probability of being wrong from which on a class is changed.

    Raises:
      UserError: the model answers nothing that the data set has labels of.
    """
    sets = found.sets
    target, values_of, crowds_of = _targets(answers, sets)
    summary: dict[str, Any] = {"run": answers.run, "notes": [], "values": []}
    rankings: dict[str, Ranking] = {}
    posterior = None
    if target:
        classes = ClassLabels(found, answers, target, score, limit)
        rankings |= classes.rankings
        posterior = classes.posterior
        summary["classes"] = classes.summary()
    for name, value_target in values_of.items():
        rankings[name], row = _of_values(answers, sets, name, value_target)
        summary["values"].append({"column": name, "target": value_target} | row)
    crowds = {
        name: crowd_judgement.judge(answers, sets, name, crowd_target, limit)
        for name, crowd_target in crowds_of.items()
    }
    if crowds:
        summary["crowds"] = [crowd.summary for crowd in crowds.values()]
    summary["contradictions"] = joint_labels.listed(answers, sets)
    summary["notes"] = _notes(answers, sets, summary.get("classes"))
    for crowd in crowds.values():
        summary["notes"] += _second_opinion(crowd.summary)
    return Judgement(summary, rankings, posterior, crowds)


def _targets(
    answers: Answers, sets: LabelSets
) -> tuple[str, dict[str, str], dict[str, str]]:
    """The model's target of the annotators' classes or '', column -> of values, and
    crowd column of classes -> of its own."""
    tasks = tasks_lib.task_of_target(answers.config.tasks)
    names = sets.annotators()
    classes = sets.columns[names[0]].classes if names else ()
    alike = [t for t, task in tasks.items() if names and task.classes == classes]
    values_of = {
        name: target
        for group in sets.values()
        for name in group
        for target, task in tasks.items()
        if task.dimensions == sets.columns[name].dimensions
        and given(sets.labels[name]).any()
    }
    crowds_of = {
        name: target
        for name, column in sets.crowd_columns.items()
        for target, task in tasks.items()
        if column.is_categorical and task.classes == column.classes
        if len(sets.crowds[name].item)
    }
    if not alike and not values_of and not crowds_of:
        columns = (sets.columns | sets.crowd_columns).values()
        told = meanings.contrast(answers.config.tasks, columns)
        raise UserError(
            f"{answers.run['folder']} answers {told}: audit with a run that learned "
            "these"
        )
    return (alike or [""])[0], values_of, crowds_of


def _notes(
    answers: Answers, sets: LabelSets, classes: dict[str, Any] | None
) -> list[str]:
    found = []
    if answers.run["learned_these_labels"]:
        found.append(
            "the model was trained on this data set: labels that it has learned by "
            "heart seem right to it"
        )
    if classes is None and sets.annotators():
        found.append("the model doesn't answer the annotators' classes")
    if classes and not classes.get("em", {}).get("converged", True):
        found.append(f"{suspicion.BOTH} has not converged")
    if classes:
        found += _second_opinion(classes)
    if sets.crowd_columns and not answers.joint:
        found.append("S_joint is not asked about crowd columns")
    elif not answers.joint:
        found.append(f"method {answers.config.method!r} has no S_joint to ask")
    return found


def _second_opinion(classes: dict[str, Any]) -> list[str]:
    """Whether the proposals are worth having, as far as other annotators tell."""
    told = classes["second_opinion"]
    asked = told["agree"] + told["disagree"]
    if told["beats"] is None:
        return [
            f"{asked} labels of other annotators were held back on pictures with a "
            "proposal: too few to tell whether proposals beat the labels"
        ]
    if not told["beats"]:
        return [
            f"nothing is proposed: of {asked} labels held back, {told['agree']} are "
            f"the class that {classes['score']} would propose and {told['disagree']} "
            "the one it would change, so it doesn't beat the annotators"
        ]
    return []


def _of_values(
    answers: Answers, sets: LabelSets, name: str, target: str
) -> tuple[Ranking, dict[str, Any]]:
    labels, model = sets.labels[name], answers.by_target[target].astype(np.float64)
    against = values.against(labels, model)
    scores = {suspicion.MODEL: suspicion.residual(labels, model, against)}
    scores |= joint_labels.scores(answers, name, labels)
    with np.errstate(invalid="ignore"):
        changed = scores[suspicion.MODEL] >= RESIDUAL_LIMIT
    proposed = np.where(changed[:, None], model, labels)
    ranked = Ranking(scores, suspicion.MODEL, proposed, changed, model)
    row: dict[str, Any] = {
        "dimensions": list(sets.columns[name].dimensions),
        "against": against,
        "learned": learned.values(answers, name),
        "limit": RESIDUAL_LIMIT,
        "proposed": int(changed.sum()),
    }
    _, truth = sets.truth(name)
    if truth is not None:
        row["precision"] = suspicion.precision(scores, labels, truth)
        row["rmse"] = values.against(labels, truth)["rmse"]
        row["rmse_after"] = values.against(proposed, truth)["rmse"]
    return ranked, row
