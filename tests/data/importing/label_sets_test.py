import pytest

from kfer.data.importing import sources
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


def load(tmp_path, text, name="t.csv"):
    (tmp_path / name).write_text(text)
    return sources.load(str(tmp_path), TableOptions(path=str(tmp_path / name)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,rater,label,Label\na.png,x,p,q\na.png,y,q,p\n", "'label' and 'Label'"),
        (
            "image,rater,valence,arousal,Valence\na.png,x,0.5,0,-0.5\n",
            "two columns of valence: 'valence' and 'Valence'; leave one out",
        ),
        (
            "image,valence,arousal,Valence\na.png,0.5,0,-0.5\n",
            "two columns of valence: 'valence' and 'Valence'",
        ),
        (
            "image,annotator:a,annotator:a:label\na.png,x,y\nb.png,y,x\n",
            "two columns of label of a: 'annotator:a' and 'annotator:a:label'",
        ),
        (
            "image,rater,label,truth,gold\na.png,x,p,q,p\nb.png,x,q,p,q\n",
            "two columns of label of the truth: 'truth' and 'gold'",
        ),
    ],
)
def test_one_truth_in_two_columns_is_refused(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        load(tmp_path, text)


def test_people_whose_columns_would_have_one_name_are_refused(tmp_path):
    text = "image,rater,a_b,b\n1.png,x,p,q\n1.png,x_a,q,p\n"
    (tmp_path / "t.csv").write_text(text)
    chosen = TableOptions(path=str(tmp_path / "t.csv"), labels=("a_b", "b"))
    with pytest.raises(UserError, match="has two columns of annotator_x_a_b"):
        sources.load(str(tmp_path), chosen)
