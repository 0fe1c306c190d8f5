from kfer.data import datasets
from kfer.preprocess import forecast, rows


def forecast_of(tmp_path, text, **options):
    path = tmp_path / "t.csv"
    path.write_text(text)
    table = {"path": str(path), "scales": {"valence": (1, 9)}, **options}
    read = rows.read(
        datasets.reader("table"), str(tmp_path), datasets.ReaderOptions(table=table)
    )
    return forecast.of(read, str(tmp_path))


def test_each_reason_has_its_count_and_its_first_cells(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.png").touch()
    text = (
        "image,rater,label,valence\n"
        "a.png,ann,x,3\n"
        "a.png,ann,y,4\n"
        "a.png,bob,x,12\n"
        "b.png,ann,x,3\n"
        "c.png,ann,y,high\n"
        "c.png,bob,y,5\n"
        "gone.png,ann,y,5\n"
        "gone.png,bob,x,5\n"
        "../out.png,bob,x,5\n"
    )
    found = forecast_of(tmp_path, text)
    # Good pictures a, b and c, gone and out, and three ratings.
    assert found.rows == 8
    lines = found.describe().splitlines()
    assert lines[0] == "would be set aside: 5 of 8 rows and pictures"
    for line in (
        "  1 label out of range",
        "    t.csv:4: column 'valence': 12 is outside [1, 9]",
        "  1 not a number",
        "    t.csv:6: column 'valence': 'high' is no number",
        "  1 second rating of a picture by one annotator",
        "    t.csv:3: ann rated a.png before",
        "  1 missing file",
        "    t.csv:8: no file 'gone.png'",
        "    t.csv:10: '../out.png' stands outside " + str(tmp_path),
    ):
        assert line in lines, lines
    assert not found.refusal(max_rejected=0.7)
    assert found.refusal(max_rejected=0.6) == (
        "Too many are faulty (62.5%, --max_rejected=0.6): the import would write "
        "nothing"
    )


def test_three_are_shown_and_a_class_that_is_none_is_told(tmp_path):
    names = [f"{i}.png" for i in range(6)]
    (tmp_path / names[0]).touch()
    labels = ["x", "y", "x", "y", "z", "y"]
    text = "image,label\n" + "".join(
        f"{n},{w}\n" for n, w in zip(names, labels, strict=True)
    )
    options = {"scales": {}, "classes": {"label": ("x", "y")}}
    found = forecast_of(tmp_path, text, **options)
    said = found.describe()
    assert "would be set aside: 5 of 6" in said and "  4 missing file" in said
    assert said.count("no file") == 3
    assert "t.csv:6: column 'label': 'z' is no class; known: x, y" in said


def test_nothing_to_set_aside(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").touch()
    text = "image,label\na.png,x\nb.png,y\n"
    found = forecast_of(tmp_path, text, scales={})
    assert found.describe().startswith("would be set aside: 0 of 2 rows and pic")
