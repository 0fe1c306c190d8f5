"""The whole job on fake roots: accounting, equal bytes, runners, kills, refusals."""

import glob
import json
import os

import numpy as np
import pytest

from kfer.data import near_copies, shards, verification
from kfer.data import record as record_lib
from kfer.data.datasets import ReaderOptions, ferplus, manifest, raf
from kfer.data.fake_roots.files import write_text
from kfer.data.label_noise import LabelNoise
from kfer.errors import UserError
from kfer.images import decode
from kfer.noise import continuous
from kfer.preprocess import job
from kfer.preprocess.transforms import Settings
from tests.preprocess import bad_roots, pictures


def prepare(name, root, out, **fields):
    fields.setdefault("options", ReaderOptions())
    fields.setdefault("settings", Settings("", image_size=32))
    return job.run(job.Job(name, str(root), str(out), **fields))


def records(dataset, split="train"):
    found = [
        record_lib.decode(serialized)
        for path in dataset.files(split)
        for serialized in shards.read_shard(path)
    ]
    return {record.image_id: record for record in found}


def content(folder) -> dict[str, bytes]:
    """File -> bytes, without dataset.json, which says when it was written."""
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        if not path.endswith("dataset.json"):
            with open(path, "rb") as file:
                found[os.path.basename(path)] = file.read()
    return found


def rejected(folder) -> list[dict]:
    with open(os.path.join(folder, "rejected.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.mark.parametrize(
    ("name", "maker", "num_classes"),
    [
        ("raf", bad_roots.bad_raf, 7),
        ("affectnet", bad_roots.bad_affectnet_2017, 7),
        ("affectnet", bad_roots.bad_affectnet_2021, 8),
    ],
)
def test_every_row_is_written_or_set_aside(tmp_path, name, maker, num_classes):
    rows, expected = maker(str(tmp_path / "root"))
    dataset = prepare(
        name,
        tmp_path / "root",
        tmp_path / "out",
        options=ReaderOptions(num_classes=num_classes),
        max_rejected=1.0,
        remove_leaks=False,
    )
    written = sum(info.num_records for info in dataset.splits.values())
    assert dataset.rejected == expected
    assert written + sum(expected.values()) == rows == dataset.notes["rows"]
    lines = rejected(tmp_path / "out")
    assert len(lines) == sum(expected.values())
    # Each says where its row stands; its line holds its id.
    for line in lines:
        path, _, number = line["source"].rpartition(":")
        assert line["reason"] and line["detail"] and int(number) >= 1
        if not path.endswith(".npy"):
            with open(tmp_path / "root" / path, encoding="utf-8-sig") as file:
                assert line["image_id"] in file.read().split("\n")[int(number) - 1]
    verification.verify(dataset)


def test_the_bad_roots_hold_at_least_25_kinds(tmp_path):
    makers = (
        bad_roots.bad_raf,
        bad_roots.bad_affectnet_2017,
        bad_roots.bad_affectnet_2021,
    )
    reasons = set()
    for i, maker in enumerate(makers):
        reasons |= set(maker(str(tmp_path / str(i)))[1])
    bad = pictures.bad()
    of_pictures = {reason for _, reason in bad.values()}
    # A bad picture is counted by what it is, not once more by its reason.
    assert of_pictures <= reasons
    assert len(bad) + len(reasons - of_pictures) >= 25


def test_aligned_record_of_a_known_picture(tmp_path):
    ids = raf.make_fake_root(str(tmp_path / "raf"), 8, np.random.default_rng(0))
    settings = Settings("", image_size=64, image_format="png")
    dataset = prepare("raf", tmp_path / "raf", tmp_path / "out", settings=settings)
    found = records(dataset) | records(dataset, "test")
    assert set(found) == set(ids)
    assert {r.alignment for r in found.values()} == {"landmarks"}
    assert dataset.notes["framing"] == {"kind": "landmarks", "detector": ""}
    # The drawn pupils are the darkest spots and stand at (0.3, 0.3) and (0.7, 0.3).
    for record in found.values():
        image = decode.decode(record.image).astype(int)
        assert image.shape == (64, 64, 3)
        for x in (19, 45):
            assert image[19, x].sum() < 300 < image[19, 32].sum()


def test_records_are_shuffled_and_in_the_same_place_whatever_else_is_there(tmp_path):
    root = str(tmp_path / "raf")
    raf.make_fake_root(root, 40, np.random.default_rng(0))
    first = list(records(prepare("raf", root, tmp_path / "a")))
    assert first != sorted(first)
    path = os.path.join(root, raf.LISTS[0])
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    write_text(root, raf.LISTS[0], "\n".join(reversed(lines[5:])))
    dropped = {line.split()[0] for line in lines[:5]}
    second = list(records(prepare("raf", root, tmp_path / "b")))
    assert second == [name for name in first if name not in dropped]


def make_ferplus(root: str) -> None:
    """Sixty pictures with leaks: valid and test ones that stand in train."""
    ferplus.make_fake_root(root, 60, np.random.default_rng(0))
    for source, target in (
        ("FER2013Train/fer0000000.png", "FER2013Test/fer0000004.png"),
        ("FER2013Train/fer0000001.png", "FER2013Valid/fer0000003.png"),
        ("FER2013Valid/fer0000008.png", "FER2013Test/fer0000009.png"),
        # Also in train twice: inside one split nothing is a leak.
        ("FER2013Train/fer0000005.png", "FER2013Train/fer0000006.png"),
    ):
        with open(os.path.join(root, source), "rb") as file:
            data = file.read()
        with open(os.path.join(root, target), "wb") as file:
            file.write(data)


def test_values_made_from_votes_and_a_limit(tmp_path):
    ferplus.make_fake_root(str(tmp_path / "fer"), 60, np.random.default_rng(0))
    options = ReaderOptions(
        num_classes=8, va_noise=0.2, limit={"train": 20, "valid": 0}
    )
    dataset = prepare("ferplus", tmp_path / "fer", tmp_path / "out", options=options)
    assert dataset.splits["train"].num_records == 20
    assert set(dataset.splits) == {"train", "test"}
    found = records(dataset)
    pairs = [
        (r.labels["valence_arousal"], r.clean["valence_arousal"])
        for r in found.values()
    ]
    given, truth = np.array(pairs).transpose(1, 0, 2)
    stored = dataset.noise["train"]["valence_arousal"]
    expected = continuous.achieved(given, truth)
    assert stored["compared"] == 20
    # Records hold 32-bit values.
    assert stored["rmse"] == pytest.approx(expected["rmse"], abs=1e-6)
    assert 0.1 < stored["rmse"][0] < 0.3


def test_leaks_leave_the_later_split(tmp_path):
    make_ferplus(str(tmp_path / "fer"))
    options = ReaderOptions(num_classes=8)
    dataset = prepare("ferplus", tmp_path / "fer", tmp_path / "a", options=options)
    leaks = {k: n for k, n in dataset.rejected.items() if k.startswith("leak")}
    assert leaks == {
        "leak: test picture also in train": 1,
        "leak: valid picture also in train": 1,
        "leak: test picture also in valid": 1,
    }
    gone = {r["image_id"] for r in rejected(tmp_path / "a") if "leak" in r["reason"]}
    assert gone == {"fer0000003.png", "fer0000004.png", "fer0000009.png"}
    assert {"fer0000005.png", "fer0000006.png"} <= set(records(dataset))
    kept = prepare(
        "ferplus",
        tmp_path / "fer",
        tmp_path / "b",
        options=options,
        remove_leaks=False,
    )
    assert not any("leak" in reason for reason in kept.rejected)


def test_the_official_test_keeps_its_pictures(tmp_path):
    make_ferplus(str(tmp_path / "fer"))
    options = ReaderOptions(num_classes=8, official_test=True)
    dataset = prepare("ferplus", tmp_path / "fer", tmp_path / "out", options=options)
    leaks = {k: n for k, n in dataset.rejected.items() if k.startswith("leak")}
    assert leaks == {
        "leak: train picture also in test": 1,
        "leak: train picture also in valid": 1,
        "leak: valid picture also in test": 1,
    }
    # Near copies go by the same order.
    assert dataset.notes[near_copies.KEPT_BY] == ["test", "valid", "train"]
    assert not {"fer0000000.png", "fer0000001.png", "fer0000008.png"} & set(
        records(dataset)
    )


def test_equal_bytes_for_one_and_two_workers(tmp_path, monkeypatch):
    make_ferplus(str(tmp_path / "fer"))
    monkeypatch.setattr(job.rows_lib, "CHUNK", 7)
    monkeypatch.setattr(job, "RECORDS_PER_SHARD", 16)
    options = ReaderOptions(num_classes=8, seed=4)
    runs = {
        "one": {},
        "two_processes": {"processes": 2},
        "beam": {"beam_args": ("--runner=FnApiRunner",)},
        "two_threads": {
            "beam_args": (
                "--direct_running_mode=multi_threading",
                "--direct_num_workers=2",
            )
        },
    }
    found = {}
    for name, fields in runs.items():
        out = tmp_path / name
        dataset = prepare("ferplus", tmp_path / "fer", out, options=options, **fields)
        found[name] = (content(out), dataset.content_hash)
    assert len(found["one"][0]) == 6  # rejected.jsonl and 36 / 16, 1 and 1 shards
    assert all(run == found["one"] for run in found.values())


def test_another_seed_samples_other_votes(tmp_path):
    make_ferplus(str(tmp_path / "fer"))
    hashes = {
        prepare(
            "ferplus",
            tmp_path / "fer",
            tmp_path / str(seed),
            options=ReaderOptions(num_classes=8, seed=seed),
        ).content_hash
        for seed in (0, 1)
    }
    assert len(hashes) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "args",
    [
        ("--direct_running_mode=multi_processing", "--direct_num_workers=2"),
        (
            "--runner=PortableRunner",
            "--job_endpoint=embed",
            "--environment_type=LOOPBACK",
        ),
    ],
    ids=["multi_processing", "portable_loopback"],
)
def test_other_runners_write_the_same_bytes(tmp_path, args):
    make_ferplus(str(tmp_path / "fer"))
    options = ReaderOptions(num_classes=8)
    prepare("ferplus", tmp_path / "fer", tmp_path / "one", options=options)
    prepare(
        "ferplus", tmp_path / "fer", tmp_path / "two", options=options, beam_args=args
    )
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_noise_reaches_the_records(tmp_path):
    manifest.make_fake_root(str(tmp_path / "m"), 50, np.random.default_rng(0))
    shifted = continuous.Annotator(bias=(0.0, -0.125))
    noise = LabelNoise(
        "exclusive", rates=(0.5, 0.25), value_annotators=(shifted,), majority=True
    )
    dataset = prepare("manifest", tmp_path / "m", tmp_path / "out", noise=noise)
    table = dataset.noise["train"]
    assert (table["annotator_1"]["requested"], table["annotator_2"]["requested"]) == (
        0.5,
        0.25,
    )
    assert (table["annotator_1"]["achieved"], table["annotator_2"]["achieved"]) == (
        0.5,
        0.25,
    )
    train, test = records(dataset), records(dataset, "test")
    errors = [
        np.subtract(r.labels["valence_arousal"], r.clean["valence_arousal"])
        for r in train.values()
        if "valence_arousal" in r.labels
    ]
    assert table["valence_arousal"]["compared"] == len(errors) > 20
    bias = table["valence_arousal"]["bias"]
    np.testing.assert_allclose(bias, np.mean(errors, axis=0), atol=1e-6)
    assert bias[0] == 0.0 and bias[1] == pytest.approx(-0.125, abs=0.03)
    assert all(
        "expression" not in r.labels and "expression" in r.clean for r in train.values()
    )
    assert all("expression" in r.labels for r in test.values())


def test_too_many_faults_stop_the_job(tmp_path):
    root = str(tmp_path / "raf")
    raf.make_fake_root(root, 20, np.random.default_rng(0))
    for name in ("train_00001.jpg", "train_00002.jpg"):
        with open(os.path.join(root, "Image/original", name), "wb"):
            pass
    with pytest.raises(UserError, match=r"2 of 20 rows .* \(10\.0%.*2 zero bytes"):
        prepare("raf", root, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["raf"]
    assert prepare("raf", root, tmp_path / "out", max_rejected=0.1).rejected == {
        "zero bytes": 2
    }


def test_faulty_annotations_stop_it_before_any_picture(tmp_path, monkeypatch):
    root = str(tmp_path / "raf")
    raf.make_fake_root(root, 4, np.random.default_rng(0))
    write_text(root, raf.LISTS[0], "train_1.jpg 9\ntrain_2.jpg 9\n")
    monkeypatch.setattr(job, "_run_steps", lambda *_: pytest.fail("ran"))
    with pytest.raises(UserError, match="after reading the annotations: 2 label out"):
        prepare("raf", root, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["raf"]


def test_exclusions_are_no_faults(tmp_path):
    root = str(tmp_path / "fer")
    votes = '"(0, 0, 48, 48)",0,0,0,0,0,0,0,0,10,0'
    ferplus.make_fake_root(root, 5, np.random.default_rng(0))
    path = os.path.join(root, "FER2013Train", "label.csv")
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(f"x{i}.png,{votes}\n" for i in range(20))
    dataset = prepare("ferplus", root, tmp_path / "out", max_rejected=0.0)
    assert dataset.rejected["no expression: unknown"] == 20


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("raf", "is no RAF-DB: it has no EmoLabel"),
        ("affectnet", "is no AffectNet: expected training.csv"),
        ("ferplus", r"is no FER\+: expected FER2013Train"),
        ("manifest", "has no manifest; expected one of manifest.csv"),
        ("fer2013", "Unknown data set 'fer2013'; known: affectnet"),
    ],
)
def test_another_folder_is_refused_and_nothing_left(tmp_path, name, message):
    (tmp_path / "root").mkdir()
    with pytest.raises(UserError, match=message):
        prepare(name, tmp_path / "root", tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["root"]


def test_an_unknown_runner_is_refused_and_nothing_left(tmp_path):
    raf.make_fake_root(str(tmp_path / "raf"), 4, np.random.default_rng(0))
    args = ("--runner=Nobody",)
    with pytest.raises(UserError, match=r"Beam refuses --runner=Nobody: Unexpected"):
        prepare("raf", tmp_path / "raf", tmp_path / "out", beam_args=args)
    assert sorted(os.listdir(tmp_path)) == ["raf"]


def test_a_taken_place_is_refused(tmp_path):
    raf.make_fake_root(str(tmp_path / "raf"), 4, np.random.default_rng(0))
    prepare("raf", tmp_path / "raf", tmp_path / "out")
    before = content(tmp_path / "out")
    with pytest.raises(UserError, match="already holds a data set"):
        prepare("raf", tmp_path / "raf", tmp_path / "out")
    assert content(tmp_path / "out") == before
    with pytest.raises(UserError, match=r"There is no folder .*nowhere"):
        prepare("raf", tmp_path / "nowhere", tmp_path / "other")
