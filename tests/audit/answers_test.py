"""One pass of a run over a split: the answers of the evaluation, and who answered."""

import shutil

import numpy as np
import pytest

from kfer.audit import answers, label_sets
from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.settings import config as config_lib
from kfer.training import compiling
from tests import runs
from tests.data import damaged


@pytest.fixture(scope="module")
def sets():
    return label_sets.read(runs.dataset(), "train")


def test_answers_in_the_order_of_the_records(sets, monkeypatch):
    monkeypatch.setattr(scoring, "default_batch_size", lambda _: 10)
    found = answers.collect(runs.run(), runs.dataset(), "train", sets)
    method, _, _ = compiling.restored(runs.run())
    # The split has labels alone, no truth.
    assert not any(label_sets.given(rows).any() for rows in sets.clean.values())
    encoded = label_sets.encoded_pictures(runs.dataset(), "train", range(24))
    pixels = np.stack([runs.pixels(data) for data in encoded])
    expected = method.answers(pixels.astype(np.float32) / 127.5 - 1)
    assert set(found.by_target) == set(expected) == {"expression", "valence_arousal"}
    for name, rows in expected.items():
        assert found.by_target[name].shape[0] == 24  # 10 + 10 + 4
        np.testing.assert_allclose(found.by_target[name], rows, atol=1e-5)
    assert found.joint == {}


def test_pictures_that_are_none_are_counted_in_one_line(sets, tmp_path):
    shutil.copytree(runs.dataset().root, tmp_path / "set")
    data = damaged.rewritten(
        tmp_path / "set",
        "train",
        lambda row, one: damaged.cut(one) if row == 5 else one,
    )
    with pytest.raises(UserError, match=r"^1 of the 24 records of train in .*decoded"):
        answers.collect(runs.run(), data, "train", sets)


def test_provenance(sets):
    run = answers.provenance(runs.run(), runs.run_config(), runs.STEP, runs.dataset())
    assert run["step"] == runs.STEP == 12 and run["method"] == "vgg_all"
    assert run["checkpoint"] == "checkpoints/step-00000012"
    assert run["config"] == config_lib.config_hash(runs.run_config())
    assert run["data"] == runs.dataset().content_hash and run["learned_these_labels"]


def test_a_model_that_has_diverged(sets, monkeypatch):
    method, config, step = compiling.restored(runs.run())
    monkeypatch.setattr(compiling, "restored", lambda *_: (method, config, step))

    def answered(values):
        return lambda image: {
            "expression": np.full((len(image), 7), 1 / 7),
            "valence_arousal": np.full((len(image), 2), values),
        }

    monkeypatch.setattr(scoring, "traced", lambda *_: answered(np.nan))
    with pytest.raises(UserError, match="24 answers of valence_arousal are not finite"):
        answers.collect(runs.run(), runs.dataset(), "train", sets)
    monkeypatch.setattr(scoring, "traced", lambda *_: answered(0.5))
    found = answers.collect(runs.run(), runs.dataset(), "train", sets)
    assert found.by_target["expression"].shape == (24, 7)


def test_no_checkpoint_of_that_step(sets):
    with pytest.raises(UserError, match=r"no checkpoint of step 7; it has \[12\]"):
        answers.collect(runs.run(), runs.dataset(), "train", sets, step=7)
