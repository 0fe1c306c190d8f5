from kfer.data.importing import notes, sources
from kfer.data.importing.options import TableOptions


def noted(tmp_path, text, **options):
    path = tmp_path / "t.csv"
    path.write_text(text)
    chosen = TableOptions(path=str(path), **options)
    return notes.of(sources.load(str(tmp_path), chosen)[0])


def test_valence_or_arousal_alone_is_told_with_its_first_line(tmp_path):
    text = (
        "image,rater,valence,arousal\n"
        "a.png,ann,0.5,0\n"
        "a.png,bob,0.5,\n"  # a half
        "b.png,ann,NA,NA\n"  # none at all
        "b.png,bob,9,\n"  # a fault, set aside as one
        "c.png,ann,NA,-0.5\n"  # a half
    )
    assert noted(tmp_path, text, scales={"valence": (-1, 1)}) == [
        "valence or arousal stands alone in 2 rows (the first is line 3): no label, a "
        "point needs both"
    ]


def test_halves_of_each_person_of_a_wide_table(tmp_path):
    text = (
        "image,rater1_valence,rater1_arousal,rater2_valence,rater2_arousal\n"
        "a.png,0.5,0,-0.5,0\nb.png,0.5,0,,0.5\n"
    )
    (note,) = noted(tmp_path, text)
    assert note.startswith("rater2_valence or rater2_arousal stands alone in 1 rows")


def test_a_lone_class_is_told(tmp_path):
    text = "image,rater,emotion\na.png,ann,happy\na.png,bob,happy\na.png,eve,NA\n"
    assert noted(tmp_path, text) == [
        "only 'happy' occurs of expression: there is nothing to tell apart"
    ]
    assert noted(tmp_path, text.replace("NA", "sad")) == []
    votes = "image,up,down\na.png,{},0\nb.png,3,{}\n"
    assert noted(tmp_path, votes.format(2, 0), votes=("up", "down")) == [
        "only 'up' occurs of label: there is nothing to tell apart"
    ]
    assert noted(tmp_path, votes.format(2, 1), votes=("up", "down")) == []


def test_annotators_without_a_common_picture_are_told(tmp_path):
    apart = "image,rater,label\na.png,ann,x\nb.png,ann,y\nc.png,bob,x\nd.png,bob,y\n"
    note = "no two annotators share a picture: nothing but the model compares them"
    assert noted(tmp_path, apart) == [note]
    # A word for no label is none that could be compared.
    assert noted(tmp_path, apart + "a.png,bob,NA\n") == [note]
    assert noted(tmp_path, apart + "a.png,bob,y\n") == []
    alone = "image,rater,label\na.png,ann,x\nb.png,ann,y\n"
    assert noted(tmp_path, alone) == []
    wide = "image,annotator:ann,annotator:bob\na.png,x,\nb.png,,y\n"
    assert noted(tmp_path, wide) == [note]


def test_annotators_that_are_called_as_classes_are_told(tmp_path):
    text = (
        "image,annotator,label\na.png,happy,ann\na.png,Sadness,bob\nb.png,happy,bob\n"
    )
    (note,) = noted(tmp_path, text)
    assert note == (
        "the annotators of column 'annotator' are called Sadness, happy: are its header "
        "and that of the labels swapped?"
    )
    assert noted(tmp_path, text.replace("Sadness", "eve")) == []
    nameless = text.replace("Sadness", "none").replace("happy", "unknown")
    assert noted(tmp_path, nameless) == []
