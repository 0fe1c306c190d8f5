"""The FER+ reader: votes to labels, in two layouts."""

import collections

import numpy as np
import pytest

from kfer.data.datasets import ReaderOptions, ferplus
from kfer.data.fake_roots.files import write_text
from kfer.data.labels import column_of
from kfer.data.record import RawExample, Rejected
from kfer.errors import UserError
from kfer.settings.config import EXPERIMENTS
from kfer.tasks import EXPRESSIONS

EIGHT = ReaderOptions(num_classes=8)


def names(labels):
    return {k: EXPRESSIONS[v] for k, v in labels.items() if k != "votes"}


def test_votes_of_a_real_row():
    # fer0000000.png: neutral 4, sadness 1, anger 3, disgust 2.
    labels = ferplus.labels_of([4, 0, 0, 1, 3, 2, 0, 0, 0, 0], "fer0000000.png", EIGHT)
    assert names(labels)["expression"] == "neutral"
    # neutral happy sad surprise fear disgust anger contempt
    assert labels["votes"] == (0.4, 0.0, 0.1, 0.0, 0.0, 0.2, 0.3, 0.0)
    for i in (1, 2, 3):
        assert names(labels)[f"annotator_{i}"] in ("neutral", "sad", "disgust", "anger")


def test_votes_for_no_class_are_dropped():
    # happiness 6, unknown 3, NF 1: six votes are left.
    labels = ferplus.labels_of([0, 6, 0, 0, 0, 0, 0, 0, 3, 1], "x", EIGHT)
    assert labels["votes"] == (0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_contempt_votes_are_dropped_where_seven_classes_are_asked_for():
    votes = [0, 5, 0, 0, 0, 0, 0, 4, 1, 0]
    labels = ferplus.labels_of(votes, "x", ReaderOptions(num_classes=7))
    assert labels["votes"] == (0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    eight = ferplus.labels_of(votes, "x", EIGHT)["votes"]
    assert eight == pytest.approx((0, 5 / 9, 0, 0, 0, 0, 0, 4 / 9))


@pytest.mark.parametrize(
    ("votes", "num_classes", "reason"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], 8, "no expression: no_face"),
        ([4, 0, 0, 0, 0, 0, 0, 0, 6, 0], 8, "no expression: unknown"),
        ([5, 0, 0, 0, 0, 0, 0, 0, 5, 0], 8, "no expression: unknown"),
        ([4, 0, 0, 0, 0, 0, 0, 6, 0, 0], 7, "class not asked for: contempt"),
        ([4, 0, 0, 0, 0, 0, 0, 6, 0, 0], 8, ""),
        ([5, 0, 0, 0, 0, 0, 0, 5, 0, 0], 7, ""),
        ([4, 0, 0, 4, 0, 0, 0, 0, 2, 0], 8, ""),
    ],
)
def test_rule_one(votes, num_classes, reason):
    assert ferplus.verdict(votes, num_classes) == reason


@pytest.mark.parametrize(
    ("votes", "scored"),
    [
        ([5, 3, 0, 1, 1, 0, 0, 0, 0, 0], True),  # 5 of 8: single votes are no votes
        ([4, 4, 0, 0, 0, 0, 0, 0, 0, 0], False),
        ([4, 2, 2, 0, 0, 0, 0, 0, 0, 0], False),  # exactly half
        ([3, 0, 0, 0, 0, 0, 0, 0, 2, 0], True),
        ([3, 0, 0, 0, 0, 0, 0, 0, 2, 2], False),
        ([1] * 10, False),
    ],
)
def test_a_majority_as_the_authors_have_it(votes, scored):
    assert (ferplus.official_verdict(votes) == "") == scored


def test_the_official_test_is_of_pictures_with_a_majority(tmp_path):
    ferplus.make_fake_root(str(tmp_path), 200, np.random.default_rng(0))
    official = ReaderOptions(num_classes=8, official_test=True)
    rows = list(ferplus.read(str(tmp_path), EIGHT))
    found = list(ferplus.read(str(tmp_path), official))
    gone = 0
    for one, other in zip(rows, found, strict=True):
        if isinstance(other, Rejected) and not isinstance(one, Rejected):
            assert other.reason == "no expression: majority" and one.split != "train"
            gone += 1
        elif isinstance(one, RawExample):
            assert one == other
    assert gone


def test_ties_are_drawn_evenly_by_the_image():
    votes = [5, 0, 0, 5, 0, 0, 0, 0, 0, 0]
    drawn = collections.Counter(
        names(ferplus.labels_of(votes, f"fer{i:07d}.png", EIGHT))["expression"]
        for i in range(1000)
    )
    assert set(drawn) == {"neutral", "sad"}
    assert 420 < drawn["sad"] < 580  # 500 +- 5 standard deviations


def test_annotators_are_different_people():
    # Two votes for anger alone: two annotators say anger, the third is missing.
    labels = ferplus.labels_of([0, 0, 0, 0, 2, 0, 0, 0, 1, 0], "x", EIGHT)
    assert [labels.get(f"annotator_{i}") for i in (1, 2, 3)] == [6, 6, None]
    # Ten voters, ten annotators: every vote is drawn once.
    options = ReaderOptions(num_classes=8, num_annotators=10)
    labels = ferplus.labels_of([1, 2, 3, 0, 4, 0, 0, 0, 0, 0], "x", options)
    drawn = collections.Counter(labels[f"annotator_{i}"] for i in range(1, 11))
    assert drawn == {0: 1, 1: 2, 3: 3, 6: 4}


def test_annotators_follow_the_votes_and_the_seed():
    votes = [7, 3, 0, 0, 0, 0, 0, 0, 0, 0]
    first = [
        ferplus.labels_of(votes, f"i{n}", EIGHT)["annotator_1"] for n in range(2000)
    ]
    assert np.mean(first) == pytest.approx(0.3, abs=0.05)
    assert first == [
        ferplus.labels_of(votes, f"i{n}", EIGHT)["annotator_1"] for n in range(2000)
    ]
    other = ReaderOptions(num_classes=8, seed=1)
    assert first != [
        ferplus.labels_of(votes, f"i{n}", other)["annotator_1"] for n in range(2000)
    ]


WITH_VALUES = ReaderOptions(num_classes=8, va_noise=0.1)


def test_valence_and_arousal_of_a_real_row():
    # neutral .4, sad .1, disgust .2, anger .3:
    # valence .1 * -.63 + .2 * -.60 + .3 * -.51 = -.063 - .120 - .153
    # arousal .1 * -.27 + .2 *  .35 + .3 *  .59 = -.027 + .070 + .177
    shares = (0.4, 0.0, 0.1, 0.0, 0.0, 0.2, 0.3, 0.0)
    truth, given = ferplus.values_of(shares, "fer0000000.png", WITH_VALUES)
    assert truth == pytest.approx((-0.336, 0.220))
    # Noise comes from the seed and the image alone.
    assert given == ferplus.values_of(shares, "fer0000000.png", WITH_VALUES)[1]
    other = ReaderOptions(num_classes=8, va_noise=0.1, seed=1)
    assert given != ferplus.values_of(shares, "fer0000000.png", other)[1]
    none = ReaderOptions(num_classes=8, va_noise=0.0)
    assert ferplus.values_of(shares, "fer0000000.png", none) == (truth, truth)


def test_noise_of_valence_and_arousal_has_the_spread_asked_for():
    shares = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    given = np.array(
        [ferplus.values_of(shares, f"i{n}", WITH_VALUES)[1] for n in range(2000)]
    )
    # 0.1 / sqrt(4000) = 0.0016, and the mean of neutral is 0.
    assert given.std(0) == pytest.approx([0.1, 0.1], abs=0.007)
    assert given.mean(0) == pytest.approx([0.0, 0.0], abs=0.01)
    assert abs(np.corrcoef(given.T)[0, 1]) < 0.1
    wide = ReaderOptions(num_classes=8, va_noise=5.0)
    held = [v for n in range(50) for v in ferplus.values_of(shares, f"i{n}", wide)[1]]
    assert min(held) == -1.0 and max(held) == 1.0


def test_valence_and_arousal_are_read_where_they_are_asked_for(tmp_path):
    ferplus.make_fake_root(str(tmp_path), 10, np.random.default_rng(0))
    without = list(ferplus.read(str(tmp_path), EIGHT))
    found = list(ferplus.read(str(tmp_path), WITH_VALUES))
    for one, other in zip(without, found, strict=True):
        given = other.labels.pop("valence_arousal")
        truth = other.clean.pop("valence_arousal")
        assert (given, truth)[::-1] == ferplus.values_of(
            other.labels["votes"], other.image_id, WITH_VALUES
        )
        # Nothing else changes.
        assert (one.labels, one.clean) == (other.labels, other.clean)
    for declared in (ferplus.columns, ferplus.clean_columns):
        names = set(declared(WITH_VALUES)) - set(declared(EIGHT))
        assert names == {"valence_arousal"}


def test_the_columns_are_those_of_the_experiments():
    for name, options in (
        ("ferplus_multi", EIGHT),
        ("ferplus_votes", EIGHT),
        ("ferplus_va", WITH_VALUES),
    ):
        for task in EXPERIMENTS[name].tasks:
            column_of(task, ferplus.columns(options), task.column)
            column_of(task, ferplus.clean_columns(options), task.target)


def test_both_layouts_give_the_same_labels(tmp_path):
    found = {}
    for layout in ("folders", "csv"):
        root = str(tmp_path / layout)
        ferplus.make_fake_root(root, 20, np.random.default_rng(0), layout=layout)
        found[layout] = {
            e.image_id: (e.split, e.labels, e.clean) for e in ferplus.read(root, EIGHT)
        }
    assert found["folders"] == found["csv"] and len(found["csv"]) == 20


def test_csv_pixels_become_a_grey_picture(tmp_path):
    pixels = " ".join(str(i % 256) for i in range(2304))
    write_text(
        str(tmp_path), "fer2013.csv", f'emotion,pixels,Usage\n0,"{pixels}",PublicTest\n'
    )
    votes = "Usage,Image name,a,b,c,d,e,f,g,h,i,j\nPublicTest,fer0000000.png,9,1,"
    write_text(str(tmp_path), "fer2013new.csv", votes + "0,0,0,0,0,0,0,0\n")
    (example,) = ferplus.read(str(tmp_path), EIGHT)
    assert example.split == "valid" and example.image.shape == (48, 48, 3)
    # Row 5, column 20 is number 5 * 48 + 20 = 260, so 260 % 256 = 4.
    assert example.image[5, 20].tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("pixel_row", "vote_row", "reason"),
    [
        (
            "0,{},Training",
            "Training,,0,0,0,0,0,0,0,0,0,0",
            "class not asked for: taken",
        ),
        (
            "0,{},Training",
            "Training,fer0000001.png,9,1,0,0,0,0,0,0,0,0",
            "bad image name",
        ),
        ("0,{},Training", "Monday,fer0000000.png,9,1,0,0,0,0,0,0,0,0", "unknown split"),
        (
            "0,1 2 3,Training",
            "Training,fer0000000.png,9,1,0,0,0,0,0,0,0,0",
            "bad pixels",
        ),
        ("0,{}", "Training,fer0000000.png,9,1,0,0,0,0,0,0,0,0", "wrong column count"),
        ("0,{},Training", "Training,fer0000000.png,9,1", "wrong column count"),
        ("0,{},Training", "Training,fer0000000.png,0,0,0,0,0,0,0,0,0,0", "bad votes"),
        ("0,{},Training", "Training,fer0000000.png,9,9,0,0,0,0,0,0,0,0", "bad votes"),
        ("0,{},Training", "Training,fer0000000.png,9,-1,0,0,0,0,0,0,0,0", "bad votes"),
        ("0,{},Training", "Training,fer0000000.png,9,x,0,0,0,0,0,0,0,0", "bad votes"),
    ],
)
def test_bad_rows_of_the_csv_layout(tmp_path, pixel_row, vote_row, reason):
    pixels = pixel_row.format(" ".join(["7"] * 2304))
    write_text(str(tmp_path), "fer2013.csv", f"emotion,pixels,Usage\n{pixels}\n")
    write_text(str(tmp_path), "fer2013new.csv", f"Usage,Image name\n{vote_row}\n")
    (found,) = ferplus.read(str(tmp_path), EIGHT)
    assert isinstance(found, Rejected) and found.reason.startswith(reason)
    assert found.source == "fer2013new.csv:2"


def test_files_of_different_lengths_are_refused(tmp_path):
    ferplus.make_fake_root(str(tmp_path), 4, np.random.default_rng(0), layout="csv")
    path = tmp_path / "fer2013new.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(UserError, match="has 1 rows more than fer2013new"):
        list(ferplus.read(str(tmp_path), EIGHT))


def test_rejected_pictures_are_kept_for_leaks(tmp_path):
    ferplus.make_fake_root(str(tmp_path), 5, np.random.default_rng(0))
    row = 'fer0000000.png,"(0, 0, 48, 48)",0,0,0,0,0,0,0,0,0,10\n'
    write_text(str(tmp_path), "FER2013Train/label.csv", row)
    found = next(ferplus.read(str(tmp_path), EIGHT))
    assert isinstance(found, Rejected)
    assert isinstance(found.example, RawExample)
    assert found.example.image == "FER2013Train/fer0000000.png"
