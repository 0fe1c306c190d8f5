import numpy as np
from PIL import Image

from kfer.data import drawn_faces as faces
from kfer.data.drawn_faces import sheet
from kfer.data.drawn_faces.style import INK, SOFT


def test_one_column_a_class():
    picture = sheet.contact_sheet(SOFT, size=32, rows=2, seed=3)
    assert picture.shape == (22 + 2 * 32, 7 * 32, 3)
    # The second face of class 4 is face 1 * 7 + 4 of the seed.
    face = faces.sample_face(faces.face_rng(3, 11), SOFT, 4)
    np.testing.assert_array_equal(
        picture[22 + 32 : 22 + 64, 4 * 32 : 5 * 32], faces.draw(face, 32)
    )


def test_every_column_has_its_heading():
    heading = sheet.contact_sheet(size=64, rows=1)[:22]
    for column in range(7):
        assert heading[:, 64 * column : 64 * (column + 1)].min() < 80


def test_enlarged_pixels_are_squares():
    plain = sheet.contact_sheet(size=32, rows=1)[22:]
    large = sheet.contact_sheet(size=32, rows=1, enlarge=3)[22:]
    np.testing.assert_array_equal(large[1::3, 1::3], plain)


def test_saved_sheets_stand_under_each_other(tmp_path):
    path = tmp_path / "faces.png"
    sheet.save(str(path), (SOFT, INK), size=32, rows=1)
    with Image.open(path) as picture:
        assert picture.size == (7 * 32, 2 * (22 + 32))
