"""What a run left in its folder, read back for tables and figures."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from kfer.data.record import TRUTH
from kfer.evaluation import slices, verdict, yardstick
from kfer.evaluation.yardstick import Yardstick
from kfer.metrics import suite
from kfer.settings.config import ExperimentConfig
from kfer.training import run_folder


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run folder holds.

    Attributes:
      folder: the run's folder.
      label: names the run in tables and figures.
      config: of the run.
      versions: versions.json.
      history: evaluations in order of their step.
      metrics: metrics.json; {} if the run hasn't ended.
      evaluation: of the model that was exported of it, see kfer.evaluation.verdict;
        {} where none was judged.
    """

    folder: str
    label: str
    config: ExperimentConfig
    versions: dict[str, Any]
    history: list[dict[str, Any]]
    metrics: dict[str, Any]
    evaluation: dict[str, Any] = dataclasses.field(default_factory=dict)

    def result(self, which: str) -> dict[str, Any] | None:
        """{'step', 'test'} of the 'last' or 'best' evaluation, if there is one.

        Or of the 'exported' model, whose confidence is calibrated.
        """
        if which == verdict.EXPORTED:
            return verdict.result(self.evaluation)
        if which in self.metrics:
            return self.metrics[which]
        scored = [row for row in self.history if row["test"]]
        if not scored:
            return None
        if which == "last":
            return scored[-1]
        return max(scored, key=lambda row: suite.score_of(row["test"]))

    @property
    def targets(self) -> list[str]:
        """Those that were scored."""
        last = self.result("last")
        return list(last["test"]) if last else []

    @property
    def scored_on(self) -> Yardstick:
        """What its scores are against."""
        return yardstick.of_metrics(self.metrics)

    def brief(self, scores: Mapping[str, Any]) -> str:
        """What a target is compared with: its own yardstick, else that of the run."""
        if "against" not in scores:
            return self.scored_on.brief
        return Yardstick.noted(scores).brief

    @property
    def seconds(self) -> float:
        """Of training, evaluations left out."""
        return sum(row["seconds"] for row in self.history)

    def cost_of(self, step: int) -> tuple[float, float | None]:
        """Seconds and PFLOP of training up to a step; None of a run that noted none."""
        rows = [row for row in self.history if row["step"] <= step]
        pflop = rows[-1].get("pflop") if rows else None
        return sum(row["seconds"] for row in rows), pflop

    @property
    def images_per_second(self) -> float:
        """Mean over the whole run; 0 if nothing was trained."""
        images = sum(r["seconds"] * r["images_per_second"] for r in self.history)
        return images / self.seconds if self.seconds else 0.0


def load_run(folder: str, label: str = "") -> Run:
    """Reads a run folder; the label is the method's name if not given.

    Raises:
      UserError: the folder is no run, or is damaged.
    """
    config = run_folder.load_config(folder)
    metrics = os.path.join(folder, run_folder.METRICS)
    return Run(
        folder=folder,
        label=label or config.method,
        config=config,
        versions=run_folder.read_json(os.path.join(folder, run_folder.VERSIONS)),
        history=run_folder.read_history(folder),
        metrics=run_folder.read_json(metrics) if os.path.exists(metrics) else {},
        evaluation=verdict.read(folder),
    )


def label_noise(run: Run) -> dict[str, dict[str, Any]]:
    """Noise of the training labels by column, as far as its data set knew it.

    Returns:
      Column -> 'compared' examples and 'achieved' rate, with 'requested' where a rate
      was asked for; or, of values, 'compared' and 'rmse' by dimension.
    """
    return run.versions.get("data", {}).get("noise", {}).get("train", {})


def describe(result: Mapping[str, Any]) -> str:
    """An evaluation in words: a headline, then each target with its classes or values.

    Args:
      result: of evaluation.evaluate_run or evaluate_model.
    """
    what = result.get("run") or result["model"]
    lines = [
        f"{what}, step {result['step']}, on {result['split']} of "
        f"{result['data']['root']}"
    ]
    if (against := result.get("against", TRUTH)) != TRUTH:
        compared = Yardstick(result["split"], against)
        lines.append(f"against {compared.describe()}")
    if (views := result.get("test_averaging", "none")) != "none":
        lines.append(f"answers are means over views of a picture: {views}")
    for target, scores in result["scores"].items():
        lines += ["", *_target_lines(target, scores)]
    lines += slices.describe(result.get("slices", {}))
    for target, own in result.get("elsewhere", {}).items():
        lines += ["", *_elsewhere_lines(target, own)]
    return "\n".join(lines)


def _elsewhere_lines(target: str, own: Mapping[str, Any] | None) -> list[str]:
    """A target that the headline's split has nothing of."""
    if own is None:
        return [f"{target}  no score: no truth and no label held out"]
    compared = Yardstick.noted(own)
    head, *rest = _target_lines(target, own["scores"])
    return [head, f"  against {compared.describe()}", *rest]


def _target_lines(target: str, scores: Mapping[str, Any]) -> list[str]:
    found = [suite.summary_line({target: scores})]
    found += [f"  examples  {scores['num_examples']}"]
    return found + (
        _class_lines(scores) if "accuracy" in scores else _value_lines(scores)
    )


def _class_lines(scores: Mapping[str, Any]) -> list[str]:
    width = max(map(len, scores["recall"]))
    return [
        f"  {name:<{width}}  {'n/a' if recall is None else f'{100 * recall:6.2f} %'}"
        for name, recall in scores["recall"].items()
    ]


def _value_lines(scores: Mapping[str, Any]) -> list[str]:
    rows = scores["by_dimension"]
    width = max(map(len, rows))
    return [
        f"  {name:<{width}}  "
        + "  ".join(f"{k} {'n/a' if v is None else f'{v:.4f}'}" for k, v in row.items())
        for name, row in rows.items()
    ]
