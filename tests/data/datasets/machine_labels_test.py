"""A machine's labels, joined by image id."""

import pytest

from kfer.data import label_orders
from kfer.data.datasets import machine_labels
from kfer.errors import UserError

RAF = label_orders.ORDERS["raf"]


def write(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def test_files_are_told_apart_by_their_columns(tmp_path):
    classes = write(tmp_path, "a.txt", "x.jpg 1\ny.jpg 7\n")
    values = write(tmp_path, "b.txt", "y.jpg 0.5 -0.25\nx.jpg -1 1")
    found = machine_labels.read(f"{classes}, {values}", RAF)
    # RAF 1 is surprise (kfer 3), 7 is neutral (0).
    assert found.of("x.jpg") == {"expression": 3, "valence_arousal": (-1.0, 1.0)}
    assert found.of("y.jpg") == {"expression": 0, "valence_arousal": (0.5, -0.25)}


def test_a_csv_with_a_header_and_all_columns(tmp_path):
    text = "image,expression,valence,arousal\na/b c.jpg,4,0.1,0.2\n"
    found = machine_labels.read(
        write(tmp_path, "m.csv", text), label_orders.ORDERS["affectnet"]
    )
    assert found.of("a/b c.jpg") == {"expression": 4, "valence_arousal": (0.1, 0.2)}


def test_values_are_clipped_and_counted(tmp_path):
    found = machine_labels.read(write(tmp_path, "v.txt", "x 1.25 -1.5\ny 1 0\n"), RAF)
    assert found.valence_arousal == {"x": (1.0, -1.0), "y": (1.0, 0.0)}
    assert found.clipped == 2


def test_missing_ids_name_the_first_ten(tmp_path):
    found = machine_labels.read(write(tmp_path, "e.txt", "x 1\n"), RAF)
    found.check(["x"])
    with pytest.raises(UserError) as error:
        found.check(["x", *(f"i{n}" for n in range(12))])
    message = str(error.value)
    assert "12 images have no machine expression label" in message
    assert "i0, i1" in message and "i9;" in message and "i10" not in message


def test_duplicate_ids_name_the_first_ten(tmp_path):
    text = "".join(f"i{n} 1\n" for n in range(12)) * 2
    with pytest.raises(UserError) as error:
        machine_labels.read(write(tmp_path, "e.txt", text), RAF)
    message = str(error.value)
    assert "names 12 images twice" in message
    assert "i9;" in message and "i10" not in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x 1\ny 8\n", r"e\.txt:2: expression '8': 8 is not in 1\.\.7"),
        ("x 1\ny happy\n", "expression 'happy'"),
        ("x 1\ny\n", r"e\.txt:2 has 1 columns"),
        ("x 0.1 0.2\ny 0.1 nan\n", "are no numbers"),
    ],
)
def test_malformed_rows_name_their_line(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        machine_labels.read(write(tmp_path, "e.txt", text), RAF)
