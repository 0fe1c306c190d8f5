"""Which pictures the page shows, with the bytes that are stored."""

import base64

from kfer.audit import judgement, suspects
from kfer.data import dataset as dataset_lib
from kfer.data.record import Record
from tests.audit import judged
from tests.data import prepared


def test_the_worst_first_with_their_own_picture(tmp_path, monkeypatch):
    sets = judged.sets()
    pictures = {name: prepared.png(i, 8) for i, name in enumerate(sets.ids)}
    records = [Record(n, picture, {}, {}) for n, picture in pictures.items()]
    dataset = dataset_lib.write(
        str(tmp_path / "set"), "faces", {"train": records}, {}, {}, records_per_shard=4
    )
    found = judgement.judge(judged.found(sets), judged.answers(), "model")
    monkeypatch.setattr(suspects, "SHOWN", 3)
    classes, values = suspects.shown(dataset, "train", sets, found)
    assert values["title"] == "Most suspicious values of valence_arousal"
    # Annotator 3's label of a is doubted by 0.9, 2's of d by 0.8, all of e by 0.7.
    assert [p["image_id"] for p in classes["pictures"]] == list("ade")
    first = classes["pictures"][0]
    head, code = first["uri"].split(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(code) == pictures["a"]
    assert first["given"]["annotator_3"] == {
        "label": "sad",
        "suspicion": "0.900",
        "changed": True,
    }
    assert not first["given"]["annotator_1"]["changed"]
    assert (first["proposed"], first["truth"]) == ("happy", "happy")
    # f has no values: it is never shown for them.
    worst = values["pictures"][0]
    assert worst["image_id"] == "d" and len(values["pictures"]) == 3
    assert worst["given"]["valence_arousal"]["label"] == "0.9000 0.0000"


def test_only_labelled_pictures_are_shown():
    sets = judged.sets()
    found = judgement.judge(judged.found(sets), judged.answers())
    rows = suspects.worst(sets, found, list(judged.NAMES))
    assert sorted(rows) == [0, 1, 2, 3, 4]
