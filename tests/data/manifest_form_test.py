import pytest

from kfer.data import manifest_form


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("image,expression\na.png,happy\n", True),
        ("image,annotator:a,valence,arousal\na.png,3,0,0\n", True),
        ("image\na.png\n", True),
        ("image,mood\n", True),  # without rows there is nothing to tell by
        ("image,mood\na.png,happy\n", False),
        ("image;expression\na.png;happy\n", False),
        ("image,annotator:a\na.png,bored\n", False),
        ("image,expression:raf\na.png,1\n", False),
        ("image,annotator:a:valence\na.png,1\n", False),
    ],
)
def test_a_form_of_its_own(tmp_path, text, own):
    path = tmp_path / "manifest.csv"
    path.write_text(text)
    assert manifest_form.is_own(str(path)) is own
