"""A teacher's answers for a data set, in batches and joined by image id."""

import os

import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import record, rewrite
from kfer.data.record import Record
from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.serving import export, teacher
from tests import runs


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("teacher") / "model")
    export.export_run(runs.run(), folder)
    return folder


def relabelled(tmp_path, classes):
    """The drawn test faces as a data set whose classes have this order."""
    faces = [r for r in rewrite.records(runs.dataset(), "test")]

    def records():
        for face in faces:
            yield Record(face.image_id, face.image, {"expression": 0}, {})

    return dataset_lib.write(
        str(tmp_path / "data"),
        "manifest",
        {"train": records()},
        {"expression": record.categorical("expression", classes)},
        {},
        image_size=32,
    )


def test_labels_are_the_models_answers(model, monkeypatch):
    monkeypatch.setattr(teacher, "BATCH", 3)  # several batches, the last smaller
    found = teacher.label(runs.dataset(), model, ["expression", "valence_arousal"])
    config, answers = export.load_answers(model)
    known = scoring.collect(answers, runs.dataset(), config)
    ids = [r.image_id for r in rewrite.records(runs.dataset(), "test")]
    chosen = known["expression"].prediction.argmax(axis=1)
    assert [found.expression[i] for i in ids] == chosen.tolist()
    assert len(set(chosen.tolist())) > 2  # or the order would not show
    values = [found.valence_arousal[i] for i in ids]
    np.testing.assert_allclose(values, known["valence_arousal"].prediction, atol=1e-5)
    assert len(found.expression) == 44  # 24 training and 20 test faces


def test_classes_are_matched_by_name(model, tmp_path):
    names = runs.dataset().clean_columns["expression"].classes
    data = relabelled(tmp_path, tuple(reversed(names)))
    there = teacher.label(data, model, ["expression"])
    here = teacher.label(runs.dataset(), model, ["expression"])
    assert not there.valence_arousal
    for image_id, label in there.expression.items():
        assert names[::-1][label] == names[here.expression[image_id]]


def test_fewer_classes_than_the_teacher_knows(model, tmp_path):
    data = relabelled(tmp_path, ("happy", "sad"))
    found = teacher.label(data, model, ["expression"])
    assert set(found.expression.values()) <= {0, 1}


def test_a_run_is_a_teacher_too(tmp_path):
    export.export_run(runs.run(), overwrite=True)
    found = teacher.label(runs.dataset(), runs.run(), ["expression"])
    assert len(found.expression) == 44
    assert os.path.isdir(os.path.join(runs.run(), "model"))


def test_what_the_teacher_does_not_answer(model, tmp_path):
    with pytest.raises(UserError, match="answers expression, valence_arousal, not age"):
        teacher.label(runs.dataset(), model, ["age"])
    data = relabelled(tmp_path, ("happy", "bored"))
    with pytest.raises(UserError, match="doesn't know bored"):
        teacher.label(data, model, ["expression"])
    with pytest.raises(UserError, match="is no kfer model"):
        teacher.label(runs.dataset(), str(tmp_path), ["expression"])
