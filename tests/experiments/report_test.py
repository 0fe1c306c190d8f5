"""The report's files say what the rows say."""

import pathlib

from kfer.experiments import report, results
from kfer.experiments.tables import TABLES
from tests.experiments import fake


def test_a_table(tmp_path):
    plan, table = fake.plan(tmp_path), TABLES["1"]
    cells = table.cells(2)
    vgg = [cell for cell in cells if cell.method == "vgg_all"]
    for cell, accuracy in zip(vgg, (0.3, 0.4), strict=True):
        fake.finish(plan, cell, accuracy, 0.5)
    rows = results.collect(plan, cells)
    paths = report.write(plan, table, 2, rows, str(tmp_path / "report"))
    names = [pathlib.Path(path).name for path in paths]
    assert names == [
        "table-1-cifar10-accuracy.png",
        "table-1-cifar10-loss.png",
        "table-1.md",
        "table-1.html",
    ]
    text = pathlib.Path(paths[2]).read_text()
    line = "| VGGNet | test accuracy [%] | 35.00 ± 7.07 | 50.00 ± 0.00 | 80.23 | 2 |"
    assert line in text
    assert "| Proposed | test accuracy [%] |  |  | 87.90 | 0 |" in text
    assert "kfer-experiments run --table=1 --scale=cpu --seeds=2" in text
    assert "annotator_1 80.00 % right" in text and "with kfer at abc." in text
    assert "- not run (cifar10-vgg_clean-0, " in text
    assert "(table-1-cifar10-loss.png)" in text
    page = pathlib.Path(paths[3]).read_text()
    assert '<td class="n">35.00 ± 7.07</td>' in page
    assert page.count("data:image/png;base64,") == 2
    assert pathlib.Path(paths[0]).read_bytes().startswith(b"\x89PNG")


def test_a_table_without_any_run(tmp_path):
    plan, table = fake.plan(tmp_path), TABLES["cifar10n"]
    rows = results.collect(plan, table.cells(1))
    paths = report.write(plan, table, 1, rows, str(tmp_path / "report"))
    assert [pathlib.Path(path).suffix for path in paths] == [".md", ".html"]
    text = pathlib.Path(paths[0]).read_text()
    assert "with kfer at no commit." in text and "people's labels" in text
