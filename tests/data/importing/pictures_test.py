import unicodedata

import pandas as pd
import pytest

from kfer.data.importing import pictures
from kfer.data.importing.options import TableOptions
from kfer.data.importing.reading import Table
from kfer.data.importing.roles import Roles
from kfer.errors import UserError


def table_of(columns):
    cells = pd.DataFrame(columns)
    return Table("t.csv", cells, [*range(2, len(cells) + 2)], "text")


def roles_of(*names):
    return Roles({name: name for name in ("image", *names)}, (), {}, {})


def names(images, root=""):
    table = table_of({"image": images})
    return pictures.tidied(table, "image", root, TableOptions()).cells["image"].tolist()


def test_names_of_one_file_are_alike(tmp_path):
    root = str(tmp_path)
    written = ["p/1.png", "./p/1.png ", "p\\1.png", "p//x/../1.png", f"{root}/p/1.png"]
    assert names(written, root) == ["p/1.png"] * 5
    # What leaves the root stays as it is, and is set aside by whoever reads it.
    outside = ["/b.png", "../a.png", "https://x/a.png", "a\0b"]
    assert names(outside, root) == outside


def test_words_for_nothing_name_no_picture_unless_there_is_one(tmp_path):
    assert names(["NA", "none", " "], str(tmp_path)) == ["", "", ""]
    (tmp_path / "none").write_bytes(b"")
    assert names(["NA", "none"], str(tmp_path)) == ["", "none"]


def test_accents_are_written_as_the_file_has_them(tmp_path):
    one, two = (unicodedata.normalize(form, "Zoé.png") for form in ("NFC", "NFD"))
    assert names([one, two], str(tmp_path)) == [one, one]
    (tmp_path / two).write_bytes(b"")
    assert names([one, two], str(tmp_path)) == [two, two]
    (tmp_path / one).write_bytes(b"")  # two files; neither is the other
    assert names([one, two], str(tmp_path)) == [one, two]


def test_other_text_is_in_one_form():
    table = table_of({"image": ["a"], "label": [unicodedata.normalize("NFD", "é")]})
    found = pictures.tidied(table, "image", "", TableOptions())
    assert found.cells["label"].tolist() == [unicodedata.normalize("NFC", "é")]


def test_faces_of_one_picture_have_ids_of_their_own():
    columns = {"image": ["a", "a", "b", "a"], "box": ["1", "2", "1", "1"]}
    found = pictures.ids(table_of(columns), roles_of("box"), ())
    assert found == ["a", "a#2", "b", "a"]


def test_two_people_may_place_one_face_differently():
    columns = {"image": ["a", "a"], "box": ["1", "2"]}
    roles = roles_of("box")
    assert pictures.ids(table_of(columns), roles, ["x", "y"]) == ["a", "a"]
    assert pictures.ids(table_of(columns), roles, ["x", "x"]) == ["a", "a#2"]


def test_ids_are_of_pictures_unless_they_number_ratings():
    columns = {"image": ["a", "a", "b"], "id": ["1", "2", ""]}
    roles = roles_of("id")
    assert pictures.ids(table_of(columns), roles, ()) == ["1", "2", "b"]
    assert pictures.ids(table_of(columns), roles, ["x", "y", "x"]) == ["a", "a", "b"]
    # One person rates both: these are faces.
    assert pictures.ids(table_of(columns), roles, ["x", "x", "x"]) == ["1", "2", "b"]


def long_(ids, of_people=False, roles=(), **options):
    table = table_of({"image": ids, "annotator": ids})
    chosen = TableOptions(**options)
    return pictures.is_long(table, roles_of(*roles), of_people, ids, chosen)


def test_a_few_repeated_rows_make_no_long_table():
    many = [str(i) for i in range(100)]
    assert not long_([*many, "7"])
    assert long_([*many, *many[:50]])
    with pytest.raises(UserError, match=r"20 of 100 pictures, such as .*--layout=long"):
        long_([*many, *many[:20]])
    assert long_([*many, "7"], layout="long")
    assert not long_([*many, *many[:20]], layout="wide")
    assert not long_(["a", "a"], of_people=True)
    assert not long_(["a", "a"], roles=["id"])
    with pytest.raises(UserError, match="so it is long; --ignore it"):
        long_(["a"], roles=["annotator"], layout="wide")
