import pytest

from kfer.data import reasons, tables
from kfer.data.importing import describe, examples, sources
from kfer.data.importing.options import TableOptions
from kfer.data.record import Rejected
from kfer.errors import UserError


def read(tmp_path, text, **options):
    path = tmp_path / "t.csv"
    path.write_text(text)
    chosen = TableOptions(**{"path": str(path), "splits": (0, 0)} | options)
    found, made = sources.load(str(tmp_path), chosen)
    rows = list(examples.read(found, chosen, made))
    bad = [row for row in rows if isinstance(row, Rejected)]
    return [row for row in rows if row not in bad], bad, made


def test_long_ratings_of_a_picture_become_one_example(tmp_path):
    text = (
        "image,rater,label,valence,arousal\n"
        "a.png,ann,calm,0.5,0\n"
        "b.png,ann,tense,,0.5\n"
        "a.png,bob,tense,NA,NA\n"
        "a.png,ann,tense,0,0\n"
        "b.png,,calm,0,0\n"
        "b.png,bob,calm,9,0\n" + "c.png,ann,calm,0,0\n"
    )
    good, bad, made = read(tmp_path, text, scales={"valence": (-1, 1)})
    assert list(made.columns) == [
        "annotator_ann_label",
        "annotator_bob_label",
        "annotator_ann_valence_arousal",
        "annotator_bob_valence_arousal",
    ]
    a, b, _ = good
    assert a.labels == {
        "annotator_ann_label": 0,
        "annotator_ann_valence_arousal": (0.5, 0.0),
        "annotator_bob_label": 1,
    }
    assert (b.labels, b.dropped) == (
        {"annotator_ann_label": 1},
        (reasons.HALF_A_POINT,),
    )
    assert [(row.source, row.reason) for row in bad] == [
        ("t.csv:5", examples.AGAIN),
        ("t.csv:6", examples.NO_ANNOTATOR),
        ("t.csv:7", "label out of range"),
    ]
    assert bad[-1].detail == "column 'valence': 9 is outside [-1, 1]"
    assert made.clean_columns == {} and a.clean == {}


def test_nameless_ratings_are_numbered_within_their_picture(tmp_path):
    good, _, made = read(tmp_path, "image,label\na.png,x\nb.png,x\na.png,y\n")
    assert [row.labels for row in good] == [
        {"annotator_1": 0, "annotator_2": 1},
        {"annotator_1": 0},
    ]
    assert made.columns["annotator_2"].target == "label"


def test_a_truth_is_kept_apart_and_a_lone_label_counts_as_one(tmp_path):
    good, _, made = read(tmp_path, "image,annotator:a,truth\na.png,x,y\nb.png,y,y\n")
    assert good[0].labels == {"annotator_a": 0} and good[0].clean == {"label": 1}
    lone, _, made = read(tmp_path, "image,label\na.png,x\nb.png,y\n")
    assert lone[1].clean == lone[1].labels == {"label": 1}
    assert list(made.clean_columns) == ["label"]


def test_the_split_follows_from_the_subject_alone(tmp_path):
    rows = "".join(f"{i}.png,{i % 40},{'xy'[i % 2]}\n" for i in range(400))
    good, _, _ = read(tmp_path, "image,subject,label\n" + rows, splits=(0.2, 0.1))
    for row in good:
        place = tables.place(str(int(row.image_id[:-4]) % 40), "split")
        expected = "test" if place < 0.2 else "valid" if place < 0.3 else "train"
        assert row.split == expected
    assert {row.split for row in good} == {"train", "valid", "test"}


def test_a_split_column_is_obeyed_and_may_not_disagree(tmp_path):
    text = "image,split,rater,label\na.png,test,1,x\na.png,train,2,y\nb.png,val,1,x\n"
    good, bad, _ = read(tmp_path, text)
    assert [row.split for row in good] == ["test", "valid"]
    assert [(row.reason, row.source) for row in bad] == [
        (examples.TWO_SPLITS, "t.csv:3")
    ]


def test_rows_of_another_width_and_without_a_picture_are_set_aside(tmp_path):
    text = "image,label\na.png,x\n,y\nb.png,y,z\nc.png,y\n"
    good, bad, _ = read(tmp_path, text)
    assert len(good) == 2
    assert [row.reason for row in bad] == ["no image named", "bad annotation"]


def test_two_columns_of_one_label_set_are_refused(tmp_path):
    with pytest.raises(
        UserError, match="two columns of expression: 'emotion' and 'expression'"
    ):
        read(tmp_path, "image,emotion,expression\na.png,happy,sad\n", ignore=())


def test_words_for_nothing_name_no_split_subject_or_annotator(tmp_path):
    text = (
        "image,split,rater,label\na.png,NA,ann,x\nb.png,test,-1,y\nb.png,test,bob,y\n"
    )
    good, bad, _ = read(tmp_path, text)
    assert [row.split for row in good] == ["train", "test"]
    assert [row.reason for row in bad] == [examples.NO_ANNOTATOR]
    subjects = "".join(f"{i}.png,NA,{'xy'[i % 2]}\n" for i in range(60))
    good, _, _ = read(tmp_path, "image,subject,label\n" + subjects, splits=(0.5, 0))
    assert {row.split for row in good} == {"train", "test"}


def test_rows_of_one_picture_that_disagree(tmp_path):
    text = (
        "id,image,rater,truth,label,box\n1,a.png,ann,x,y,1;1;9;9\n"
        "1,a.png,bob,x,y,2;2;9;9\n1,b.png,eve,x,y,1;1;9;9\n1,a.png,kim,y,y,1;1;9;9\n"
    )
    (good,), bad, _ = read(tmp_path, text)
    assert set(good.labels) == {"annotator_ann", "annotator_bob"}
    assert good.box == (1, 1, 9, 9) and good.dropped == (examples.OTHER_PLACE,)
    assert [row.reason for row in bad] == [examples.TWO_PICTURES, examples.TWO_TRUTHS]


def test_one_hot_rows_of_annotators_are_their_labels(tmp_path):
    text = "image,rater,up,down\na.png,ann,1,0\na.png,bob,0,1\nb.png,ann,0,0\n"
    good, bad, made = read(tmp_path, text, votes=("up", "down"))
    assert not bad and made.clean_columns == {}
    assert [row.labels for row in good] == [
        {"annotator_ann": 0, "annotator_bob": 1},
        {},
    ]


def test_subjects_in_several_splits_are_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,split,subject,label\na.png,train,s,x\nb.png,test,s,y\n")
    chosen = TableOptions(path=str(path))
    found, made = sources.load(str(tmp_path), chosen)
    assert "1 subjects, such as 's', stand in several" in describe.describe(
        found, made, chosen
    )


def test_votes_that_are_dropped_are_counted(tmp_path):
    text = "image,happy,sad,fear,unknown\na.png,2,1,0,1\nb.png,0,2,2,0\n"
    good, _, _ = read(tmp_path, text)
    assert [row.dropped for row in good] == [(examples.NO_CLASS,), ()]


def test_rows_of_another_width_name_no_picture(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,rater,label\na.png,ann,x\na.png,bob,y\nb.png;ann;y\n")
    chosen = TableOptions(path=str(path))
    found, made = sources.load(str(tmp_path), chosen)
    lines = describe.describe(found, made, chosen).splitlines()
    assert lines[0].endswith("3 rows, 1 pictures")
    assert "rows of another width or form: 1" in lines


def test_describe_says_what_was_understood(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image;rater;label;age\na.png;ann;x;30\na.png;bob;y;40\n")
    chosen = TableOptions(path=str(path))
    found, made = sources.load(str(tmp_path), chosen)
    text = describe.describe(found, made, chosen)
    for line in (
        "t.csv: utf-8 text with semicolons, 2 rows, 1 pictures",
        "layout: long, one row a rating; 2 annotators (ann, bob)",
        "image: column 'image'",
        "classes of label: x (1), y (1)",
        "label columns: annotator_ann, annotator_bob",
        "truth: none",
        "split: 10% test, 10% valid, the rest train, by a hash of the picture's name",
        "ignored: 'age' (numbers without a name that is known; --scale=age=LOW:HIGH)",
        "first rows:",
    ):
        assert line in text.splitlines(), text


def test_many_annotators_of_a_long_table_are_one_crowd_column(tmp_path):
    # Twelve people; p01 labels a.png twice, every third says nothing.
    rows = [f"a.png,p{i:02d},{'calm' if i % 3 else ''},{i - 6}\n" for i in range(12)]
    rows += ["a.png,p01,tense,0\n", "b.png,p11,tense,6\n"]
    text = "image,rater,label,valence\n" + "".join(rows)
    good, bad, made = read(tmp_path, text, scales={"valence": (-6, 6)})
    assert set(made.columns) == {"label", "valence"} and made.clean_columns == {}
    mood = made.columns["label"]
    assert mood.annotators == tuple(f"p{i:02d}" for i in range(12))
    assert mood.target == "label" and made.columns["valence"].annotators
    a, b = good
    assert a.labels["label"] == tuple((i, 0) for i in range(12) if i % 3)
    assert a.labels["valence"][11] == (11, (pytest.approx(5 / 6),))
    assert b.labels == {"label": ((11, 1),), "valence": ((11, (1.0,)),)}
    assert [(row.source, row.reason) for row in bad] == [("t.csv:14", examples.AGAIN)]
    assert all(made.columns[n].problem(v) == "" for n, v in a.labels.items())


def test_a_side_column_of_a_long_table_is_no_annotator(tmp_path):
    text = "image,rater,label,rater_country\na.png,x,p,DE\na.png,y,q,DE\nb.png,x,q,FR\n"
    good, bad, made = read(tmp_path, text)
    assert list(made.columns) == ["annotator_x", "annotator_y"] and not bad
    assert made.columns["annotator_x"].classes == ("p", "q")
    assert good[0].labels == {"annotator_x": 0, "annotator_y": 1}


def test_who_gives_no_label_that_counts_has_no_column(tmp_path):
    rows = "a.png,x,p\na.png,y,q\nb.png,Zo\nb.png,eve,\nb.png,n\0n,p\nb.png,x,q\n"
    good, bad, made = read(tmp_path, "image,rater,label\n" + rows)
    assert list(made.columns) == ["annotator_x", "annotator_y"]
    assert [row.labels for row in good] == [
        {"annotator_x": 0, "annotator_y": 1},
        {"annotator_x": 1},
    ]
    assert [row.source for row in bad] == ["t.csv:4", "t.csv:6"]
    chosen = TableOptions(path=str(tmp_path / "t.csv"))
    said = describe.describe(*sources.load(str(tmp_path), chosen), chosen)
    assert "; 2 annotators (x, y); no label of Zo, eve, n\ufffdn counts\n" in said
    silent = "image,rater,valence\na.png,x,NA\na.png,y,\n"
    assert len(read(tmp_path, silent)[2].columns) == 2
    half = "image,rater,label,valence\na.png,x,p,0\na.png,y,q,9\nb.png,y,p,0.5\n"
    _, _, made = read(tmp_path, half, scales={"valence": (-1, 1)})
    assert "annotator_y_label" in made.columns


def test_a_word_for_nobody_is_not_called_an_empty_cell(tmp_path):
    text = "image,rater,label\na.png,Na,x\nb.png,-1.0,y\nc.png,,x\nd.png,eve,y\n"
    _, bad, _ = read(tmp_path, text)
    assert [row.detail for row in bad] == [
        "the annotator 'Na' reads as missing; --missing says other words",
        "the annotator '-1.0' reads as missing; --missing says other words",
        "the annotator cell is empty",
    ]
    *_, made = read(tmp_path, text, missing=("none",))
    assert list(made.columns) == ["annotator_Na", "annotator_-1", "annotator_eve"]


def test_letters_of_no_width_make_no_class(tmp_path):
    rows = "a.png,\u200bann,calm\nb.png,ann,calm\u200b\nc.png,ann\ufeff,te\u2060nse\n"
    good, _, made = read(tmp_path, "image,rater,\u200blabel\n" + rows)
    assert [row.labels for row in good] == [{"annotator_ann": n} for n in (0, 0, 1)]
    assert made.columns["annotator_ann"].classes == ("calm", "tense")
