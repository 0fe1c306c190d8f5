import dataclasses
import os
import shutil

import numpy as np
import pytest

from kfer import tasks
from kfer.data import dataset as dataset_lib
from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.evaluation.scoring import Predictions
from kfer.metrics import suite
from tests import runs
from tests.data import damaged, prepared


@pytest.fixture(scope="module")
def config():
    return runs.run_config()


@pytest.fixture(scope="module")
def method(config):
    return runs.method(config)


def truth(column: str) -> np.ndarray:
    """Clean values of the test split, read by other means."""
    from kfer.data import record, shards

    rows = [
        record.decode(serialized).clean[column]
        for path in runs.dataset().files("test")
        for serialized in shards.read_shard(path)
    ]
    return np.array(rows)


def test_scores_are_those_of_a_numpy_twin(method, config):
    scores = scoring.evaluate(method, runs.dataset(), config)
    answers = method.answers(runs.images())
    predicted = answers["expression"].numpy().argmax(1)
    assert len(set(predicted)) == 7
    expected = np.mean(predicted == truth("expression"))
    assert scores["expression"]["accuracy"] == pytest.approx(expected)
    x, y = truth("valence_arousal"), answers["valence_arousal"].numpy()
    covariance = np.mean((x - x.mean(0)) * (y - y.mean(0)), 0)
    ccc = 2 * covariance / (x.var(0) + y.var(0) + (x.mean(0) - y.mean(0)) ** 2)
    assert scores["valence_arousal"]["ccc"] == pytest.approx(ccc.mean(), rel=1e-4)
    assert scores["valence_arousal"]["num_examples"] == 20


def test_a_partial_last_batch_changes_nothing_and_is_no_second_trace(method, config):
    answers = scoring.traced(method, config)
    collected = [
        scoring.collect(answers, runs.dataset(), config, batch_size=size)
        for size in (8, 20)
    ]
    assert answers.experimental_get_tracing_count() == 1
    for name in ("expression", "valence_arousal"):
        small, large = (found[name] for found in collected)
        assert small.prediction.shape[0] == 20  # 8 + 8 + 4
        np.testing.assert_allclose(small.prediction, large.prediction, atol=1e-5)
        np.testing.assert_array_equal(
            small.target, truth(name).astype(small.target.dtype)
        )
        np.testing.assert_array_equal(small.mask, np.ones(20))


def test_scorer_sees_new_weights(config):
    method = runs.method(config)
    score = scoring.scorer(method, runs.dataset(), config)
    head = method.encoder.heads
    for index, task in enumerate(config.tasks):
        if task.is_categorical:
            head[index].kernel.assign(0 * head[index].kernel)
            head[index].bias.assign(np.eye(7)[2].astype(np.float32))
    assert score()["expression"]["accuracy"] == np.mean(truth("expression") == 2)
    for index in range(3):
        head[index].bias.assign(np.eye(7)[0].astype(np.float32))
    assert score()["expression"]["accuracy"] == np.mean(truth("expression") == 0)


def test_scores_leave_out_what_has_no_truth():
    config = prepared.small_config()
    predictions = {
        "class": Predictions(
            np.eye(10)[[1, 2, 3, 4]], np.array([1, 2, 0, 4]), np.array([1, 1, 1, 0])
        )
    }
    # Right, right, wrong; the fourth is masked.
    scores = scoring.scores(config, predictions)["class"]
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["num_examples"] == 3


def test_a_target_without_clean_labels_is_not_scored(tmp_path):
    dataset = prepared.write(tmp_path / "set")
    config = prepared.small_config(width=0.125, embedding_size=64, method="vgg_all")
    method = runs.method(config)
    assert list(scoring.evaluate(method, dataset, config)) == ["class"]
    with pytest.raises(UserError, match=r"no examples in a split 'valid'"):
        scoring.evaluate(method, dataset, config, "valid")


def test_score_of_is_the_mean_over_targets():
    scores = {"a": {"accuracy": 0.5, "ccc": 9}, "b": {"ccc": 0.1}}
    assert suite.score_of(scores) == pytest.approx(0.3)  # (0.5 + 0.1) / 2
    assert suite.score_of(scores | {"c": {"ccc": None}}) == pytest.approx(0.3)
    assert suite.score_of({"c": {"accuracy": None}}) == -np.inf


def test_task_of_target_is_the_first(config):
    found = tasks.task_of_target(config.tasks)
    assert [task.name for task in found.values()] == ["annotator_1", "valence_arousal"]
    assert list(found) == ["expression", "valence_arousal"]


def test_large_images_come_in_small_batches():
    sizes = [scoring.default_batch_size(size) for size in (32, 64, 128, 256)]
    assert sizes == [256, 256, 64, 16]


def test_predictions_survive_the_disk(tmp_path):
    path = str(tmp_path / "p.npz")
    part = Predictions(np.eye(2), np.array([0, 1]), np.array([1.0, 0.0]))
    scoring.write_predictions(path, {"expression": part, "a_mask": part})
    found = scoring.read_predictions(path)
    assert sorted(found) == ["a_mask", "expression"]
    for one, two in zip(found["a_mask"], part):
        np.testing.assert_array_equal(one, two)
    assert os.listdir(tmp_path) == ["p.npz"]


def test_bad_prediction_files_are_one_line(tmp_path):
    path = str(tmp_path / "p.npz")
    np.savez(path, a_mask=np.array([object()]))  # would need pickle
    with pytest.raises(UserError, match="Can't read predictions"):
        scoring.read_predictions(path)
    (tmp_path / "q.npz").write_bytes(b"PK\x03\x04cut")
    with pytest.raises(UserError, match="Can't read predictions"):
        scoring.read_predictions(str(tmp_path / "q.npz"))
    with pytest.raises(UserError, match=r"Can't write to .*: File exists"):
        scoring.write_predictions(str(tmp_path / "q.npz" / "p.npz"), {})


def test_a_run_is_scored_with_its_own_weights_and_data(method, config, tmp_path):
    path = str(tmp_path / "p.npz")
    result = scoring.evaluate_run(runs.run(), predictions_path=path)
    assert result["step"] == runs.STEP
    assert result["data"]["content_hash"] == runs.dataset().content_hash
    assert (result["split"], result["against"]) == ("test", "truth")
    expected = scoring.evaluate(method, runs.dataset(), config)
    assert result["scores"] == expected
    stored = scoring.read_predictions(path)
    assert scoring.scores(config, stored) == expected


def test_pictures_that_are_none_are_counted_in_one_line(tmp_path):
    shutil.copytree(runs.dataset().root, tmp_path / "set")
    data = damaged.rewritten(
        tmp_path / "set",
        "test",
        lambda row, one: damaged.cut(one) if row in (3, 9) else one,
    )
    with pytest.raises(UserError, match=r"^2 of the 20 records of test in .*decoded"):
        scoring.evaluate_run(runs.run(), data.root)


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(UserError, match=r"is no run folder: it has no config\.json"):
        scoring.evaluate_run(str(tmp_path))
    with pytest.raises(UserError, match=r"train in .* has no truth of"):
        scoring.evaluate_run(runs.run(), split="train")


def test_data_of_other_meaning_is_refused(method, config, tmp_path):
    other = prepared.write(tmp_path / "set")
    with pytest.raises(UserError, match="has no truth of "):
        scoring.evaluate(method, dataset_lib.load(other.root), config)
    eight = dataclasses.replace(config, tasks=(tasks.expression_task(8),))
    with pytest.raises(UserError, match="Column 'expression' of this data set has"):
        scoring.evaluate(method, runs.dataset(), eight)
