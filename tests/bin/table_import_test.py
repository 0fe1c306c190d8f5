"""kfer-data import, and the flags of a table."""

import json

import numpy as np

from kfer.data import dataset as dataset_lib
from kfer.data.datasets import table
from tests.bin.processes import run as run_command


def run(*arguments):
    return run_command("data", "import", *arguments)


def test_a_table_becomes_a_data_set(tmp_path):
    table.make_fake_root(str(tmp_path), 30, np.random.default_rng(0))
    path, out_dir = tmp_path / "ratings.csv", tmp_path / "out"
    status, out, err = run(path, f"--out_dir={out_dir}", "--image_size=32")
    assert status == 0, err
    assert "layout: long, one row a rating; 3 annotators (ann, bob, eve)" in out
    assert f"kfer-train --data_dir={out_dir} --out_dir=RUN" in out
    made = dataset_lib.load(str(out_dir))
    assert sum(info.num_records for info in made.splits.values()) == 30
    assert made.columns["annotator_eve"].target == "label"
    assert made.image_size == 32 and made.options["table"]["splits"] == [0.1, 0.1]


def test_flags_say_what_the_table_does_not(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("photo\tjoyful\tv\na.png\t1\t5\nb.png\t2\t9\n")
    (tmp_path / "s.json").write_text(json.dumps({"up": "joy"}))
    flags = [
        "--dry_run",
        "--delimiter=tab",
        "--column=image=photo",
        "--classes=joyful=1:down,2:joy",
        "--scale=v=1:9",
        f"--synonyms={tmp_path / 's.json'}",
        "--missing=x,y",
        "--splits=0.2,0",
    ]
    status, out, err = run(path, *flags)
    # As the import itself would end.
    assert status == 2 and "classes of joyful: down (1), joy (1)" in out
    assert "values of v: 1..9" in out and "split: 20% test, 0% valid" in out
    assert "would be set aside: 2 of 2 rows and pictures\n  2 missing file\n" in out
    assert err == (
        "kfer-data: error: Too many are faulty (100.0%, --max_rejected=0.05): the "
        "import would write nothing\n"
    )
    for name in "ab":
        (tmp_path / f"{name}.png").touch()
    status, out, err = run(path, *flags)
    assert status == 0 and "would be set aside: 0 of 2 rows" in out, err


def test_wrong_use_is_one_line_and_status_2(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,label\na.png,1\nb.png,2\n")
    twice = tmp_path / "twice.json"
    twice.write_text('{"joy": "happy", "joy": "sad"}')
    for arguments, text in (
        ([], "import takes one table or folder, got []"),
        (["/nowhere.csv"], "There is no table /nowhere.csv"),
        ([path], "import needs an --out_dir to make, or --dry_run"),
        ([path, "--dry_run"], "could be classes or values; say --classes=label="),
        ([path, "--dry_run", "--scale=label"], "--scale takes NAME=VALUE, got 'label'"),
        ([path, "--dry_run", "--scale=label=9"], "takes LOW:HIGH, got '9'"),
        ([path, "--dry_run", "--synonyms=/no"], "--synonyms=/no can't be read"),
        (
            [path, "--dry_run", f"--synonyms={twice}"],
            f"--synonyms={twice} can't be read: it has 'joy' twice",
        ),
        ([path, "--dry_run", "--splits=nan,0"], "splits (nan, 0.0) leave nothing"),
        (
            [path, "--dry_run", "--labels=label", "--ignore=label"],
            "'label' is given to --labels and to --ignore; give it to one",
        ),
        (
            [tmp_path, "--dry_run", "--images=/tmp"],
            f"--images goes with a table; {tmp_path} is a folder of pictures itself",
        ),
    ):
        status, _, err = run(*arguments)
        assert status == 2 and text in err, err
        assert err.startswith("kfer-data: error: ") and err.count("\n") == 1


def test_flags_that_say_a_thing_twice_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,mood,v\na.png,calm,1\nb.png,tense,2\n")
    for flags, text in (
        (
            ["--classes=mood=a,b", "--classes=Mood=c,d"],
            "--classes=Mood=... is given twi",
        ),
        (
            ["--classes=a,b", "--classes=c,d"],
            "--classes=... without a header is given t",
        ),
        (["--scale=v=1:9", "--scale=v=1:5"], "--scale=v=... is given twice"),
        (
            ["--column=image=mood", "--column=image=v"],
            "--column=image=... is given twic",
        ),
        (
            ["--labels=mood", "--labels=v"],
            "--labels is given twice; give it once, its p",
        ),
        (["--layout=long", "--layout=wide"], "--layout is given twice; give it once\n"),
    ):
        status, _, err = run(path, "--dry_run", *flags)
        assert status == 2 and text in err, err
        assert err.count("\n") == 1
