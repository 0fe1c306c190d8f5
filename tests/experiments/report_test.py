"""The report's files say what the rows say."""

import pathlib

from kfer.experiments import report, results
from kfer.experiments.tables import TABLES
from kfer.storage import whole
from tests.experiments import fake


def test_a_table(tmp_path):
    plan, table = fake.plan(tmp_path), TABLES["1"]
    cells = table.cells(range(2))
    vgg = [cell for cell in cells if cell.method == "vgg_all"]
    for cell, accuracy in zip(vgg, (0.3, 0.4), strict=True):
        fake.finish(plan, cell, accuracy, 0.5)
    rows = results.collect(plan, cells)
    paths = report.write(plan, table, range(2), rows, str(tmp_path / "report"))
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
    assert "annotator_1 80.00 % of 10 right" in text and "with kfer at abc." in text
    assert "- not run (cifar10-vgg_clean-0, " in text
    assert "(table-1-cifar10-loss.png)" in text
    page = pathlib.Path(paths[3]).read_text()
    assert '<td class="n">35.00 ± 7.07</td>' in page
    assert page.count("data:image/png;base64,") == 2
    assert pathlib.Path(paths[0]).read_bytes().startswith(b"\x89PNG")


def test_a_table_without_any_run(tmp_path):
    plan, table = fake.plan(tmp_path), TABLES["cifar10n"]
    rows = results.collect(plan, table.cells(range(1)))
    paths = report.write(plan, table, range(1), rows, str(tmp_path / "report"))
    assert [pathlib.Path(path).suffix for path in paths] == [".md", ".html"]
    text = pathlib.Path(paths[0]).read_text()
    assert "with kfer at no commit." in text and "people's labels" in text


def test_a_table_that_compares(tmp_path):
    plan, table = fake.plan(tmp_path, data_seed=7), TABLES["field_cifar10"]
    seeds = range(10, 12)
    cells = table.cells(seeds)
    for method, values in (("em", (0.5, 0.6)), ("vgg_all", (0.4, 0.6))):
        mine = [cell for cell in cells if cell.method == method]
        for cell, accuracy in zip(mine, values, strict=True):
            fake.finish(plan, cell, accuracy, accuracy)
    rows = results.collect(plan, cells)
    paths = report.write(plan, table, seeds, rows, str(tmp_path / "report"))
    narrow = table.narrowed(["em"])
    (md, _) = report.write(plan, narrow, seeds, rows, str(tmp_path / "narrow"))[-2:]
    assert "--data_seed=7 --methods=em --data_root=RAW" in pathlib.Path(md).read_text()
    text = pathlib.Path(paths[-2]).read_text()
    # Differences -0.1 and 0: mean -0.05, error 0.05, Student's t of one degree 12.706.
    assert "test accuracy [%] | 50.00 ± 14.14 | -5.00 ± 63.53 |" in text
    assert text.index("| EM in the loop |") < text.index("| All label sets |")
    assert text.index("| All label sets |") < text.index("| SCE |")
    assert "seeds 10 to 11;" in text and "drawn with seed 7." in text
    assert "--seeds=2 --first_seed=10 --data_seed=7 --data_root=RAW" in text
    assert "best model" not in text


def test_its_command_has_the_flags_that_all_trainings_had(tmp_path):
    plan, table = fake.plan(tmp_path), TABLES["2"].narrowed(["em", "vgg_all"])
    cells = table.cells(range(2))
    for cell, more in zip(cells, ("", " '--set=a=[1, 2]'"), strict=False):
        fake.finish(plan, cell, 0.5, 0.5)
        note = {"command": f"kfer-train --out_dir=x --image_size=32{more}"}
        whole.write_json(plan.note(cell), note)
    rows = results.collect(plan, cells)
    text = pathlib.Path(_markdown(plan, table, rows, tmp_path)).read_text()
    # Table 2 has no row of em, which --methods would be refused for.
    assert "--methods=vgg_all --data_root=RAW --train_flag=--image_size=32\n" in text
    assert "Some cells were trained with further flags" in text
    rows = [row for row in rows if row.command.endswith("'--set=a=[1, 2]'")]
    text = pathlib.Path(_markdown(plan, table, rows, tmp_path)).read_text()
    assert "--train_flag=--image_size=32 --train_flag='--set=a=[1, 2]'\n" in text
    assert "further flags" not in text


def _markdown(plan, table, rows, tmp_path) -> str:
    paths = report.write(plan, table, range(2), rows, str(tmp_path / "report"))
    return next(path for path in paths if path.endswith(".md"))
