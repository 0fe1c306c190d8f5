import pathlib

import numpy as np
import pytest
import tensorflow as tf

from kfer.data import datasets, record, verification
from kfer.data import shards as shards_lib
from kfer.data.datasets import ReaderOptions, cifar10
from kfer.errors import UserError
from tests.data import prepared
from tests.data.datasets import cifar_roots

HUMANS = pathlib.Path(__file__).parents[3] / "../shared/data/cifar10n_human_labels.npz"


@pytest.fixture
def root(tmp_path):
    return cifar_roots.make(tmp_path / "raw")


def batch(root, name: str) -> pathlib.Path:
    return root / cifar10.FOLDER / name


def read(root, **options):
    return list(cifar10.read(str(root), ReaderOptions(**options)))


def test_rows_come_in_the_official_order_with_their_pictures(root):
    examples = read(root)
    train = [e for e in examples if e.split == "train"]
    assert len(train) == 100 and len(examples) == 120
    assert train[47].image_id == "train-00047"
    assert train[47].source == "data_batch_3:7"
    planes = cifar_roots.planes_of(3)[7].reshape(3, 32, 32)
    # The file has red, green and blue planes, each row by row.
    assert train[47].image.dtype == np.uint8
    np.testing.assert_array_equal(train[47].image[:, :, 0], planes[0])
    np.testing.assert_array_equal(train[47].image[5, 9], planes[:, 5, 9])
    assert train[47].clean == {"class": (7 + 3) % 10}
    assert (examples[100].image_id, examples[100].source) == (
        "test-00000",
        "test_batch:0",
    )
    assert examples[105].labels == {} and examples[105].clean == {"class": 5}


def test_the_folder_itself_is_a_root_too(root):
    inside = read(root / cifar10.FOLDER)
    assert [e.labels for e in inside] == [e.labels for e in read(root)]


def test_simulated_labels_have_the_rates_asked_for(root):
    examples = read(root, flip_rates=(0.2, 0.35))[:100]
    assert set(examples[0].labels) == {"annotator_1", "annotator_2", "majority"}
    truth = np.array([e.clean["class"] for e in examples])
    for name, wrong in (("annotator_1", 20), ("annotator_2", 35), ("majority", 20)):
        got = np.array([e.labels[name] for e in examples])
        assert np.sum(got != truth) == wrong, name
    options = ReaderOptions(flip_rates=(0.2, 0.35))
    assert set(cifar10.columns(options)) == set(examples[0].labels)
    assert cifar10.requested_noise(options) == {"annotator_1": 0.2, "annotator_2": 0.35}
    assert len(cifar10.columns(ReaderOptions())) == 4


def test_label_sets_follow_the_seed_and_differ_from_each_other(root):
    def table(seed):
        return [list(e.labels.values()) for e in read(root, seed=seed)[:100]]

    assert table(1) == table(1)
    assert table(1) != table(2)
    first, second, third, _ = np.array(table(1)).T
    truth = np.concatenate([cifar_roots.truth_of(b) for b in range(1, 6)])
    both = (first != truth) & (second != truth)
    # Independent sets share 0.2 x 0.3 of 100 flips, give or take.
    assert 0 < both.sum() < 15
    assert not np.array_equal(second, third)


@pytest.mark.skipif(not HUMANS.exists(), reason="../shared/data is not here")
def test_inclusive_flips_are_those_of_2021():
    truth = np.load(HUMANS)["clean_label"].astype(np.int64)
    options = ReaderOptions(flip="inclusive", seed=100)
    labels = cifar10.simulated_labels(truth, options)
    rates = {name: 100 * np.mean(got != truth) for name, got in labels.items()}
    # Measured from the 2021 code: 17.59, 27.01, 36.05 and a majority of 10.18 %.
    expected = {"annotator_1": 17.59, "annotator_2": 27.01, "annotator_3": 36.05}
    expected["majority"] = 10.18
    assert rates == pytest.approx(expected, abs=0.006)


def test_limits_take_the_first_rows(root):
    examples = read(root, limit={"train": 30, "test": 3})
    assert [e.image_id for e in examples[28:32]] == [
        "train-00028",
        "train-00029",
        "test-00000",
        "test-00001",
    ]
    truth = np.array([e.clean["class"] for e in examples[:30]])
    got = np.array([e.labels["annotator_1"] for e in examples[:30]])
    assert np.sum(got != truth) == 6


def test_fewer_batches_are_used_and_said(root, caplog):
    batch(root, "data_batch_5").unlink()
    with caplog.at_level("WARNING", "absl"):
        assert len(read(root)) == 100
    assert "has 4 of 5 training batches" in caplog.text


def test_a_gap_in_the_batches_is_an_error(root):
    batch(root, "data_batch_2").unlink()
    with pytest.raises(UserError, match=r"lacks data_batch_2 \(found 4 of 5"):
        read(root)


def test_missing_files_are_named(root, tmp_path):
    batch(root, "test_batch").unlink()
    with pytest.raises(
        UserError, match=r"test_batch is missing; unpack cifar-10-python"
    ):
        read(root)
    with pytest.raises(
        UserError, match=r"is neither cifar-10-batches-py nor its parent"
    ):
        read(tmp_path / "none")
    with pytest.raises(UserError, match=r"The source folder \(not given\) is neither"):
        read("")
    batch(root, "data_batch_1").rename(batch(root, "data_batch_1.bin"))
    with pytest.raises(UserError, match=r"is CIFAR-10's binary version; needed is"):
        read(root)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"labels": [10] * 20}, r"data_batch_2, row 0 has label 10, expected 0..9"),
        ({"labels": [0] * 19 + [-1]}, r"data_batch_2, row 19 has label -1"),
        ({"labels": [0] * 19}, r"has 20 pictures but 19 labels"),
        ({"labels": [0.5] * 20}, r"no list of whole-number labels \(found 20 entries"),
        ({"labels": None}, r"no list of whole-number labels \(found <class 'NoneTyp"),
        (
            {"data": np.zeros((20, 3073), np.uint8)},
            r"shape \(20, 3073\) and type uint8",
        ),
        ({"data": np.zeros((20, 3072))}, r"shape \(20, 3072\) and type float64, expe"),
        ({"data": b"pixels"}, r"data of shape None and type None, expected uint8 \[N,"),
    ],
)
def test_batches_with_other_content_are_refused(root, changes, text):
    cifar_roots.write_batch(batch(root, "data_batch_2"), 2, **changes)
    with pytest.raises(UserError, match=text) as caught:
        read(root)
    assert "\n" not in str(caught.value)


def test_a_cut_batch_and_a_list_are_refused(root):
    path = batch(root, "data_batch_3")
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(UserError, match=r"data_batch_3 is cut off or no pickle"):
        read(root)
    path.write_bytes(b"]q\x00.")
    with pytest.raises(UserError, match=r"data_batch_3 holds a list, not a batch"):
        read(root)


def test_tfds_examples_are_put_in_the_official_order(root, monkeypatch):
    import tensorflow_datasets as tfds

    def load(name, split, data_dir):
        assert (name, data_dir) == ("cifar10", str(root))
        numbers = [2, 0, 1]
        return tf.data.Dataset.from_tensor_slices(
            {
                "id": [f"{split}_{i:05d}" for i in numbers],
                "image": np.full(
                    (3, 32, 32, 3), np.reshape(numbers, (3, 1, 1, 1)), "u1"
                ),
                "label": np.array(numbers, np.int64) + 5,
            }
        )

    monkeypatch.setattr(tfds, "load", load)
    examples = read(root, source="tfds")
    assert [e.image_id for e in examples] == [
        *(f"train-0000{i}" for i in range(3)),
        *(f"test-0000{i}" for i in range(3)),
    ]
    assert [e.clean["class"] for e in examples] == [5, 6, 7] * 2
    assert [e.image[0, 0, 0] for e in examples] == [0, 1, 2] * 2
    assert examples[1].source == "tfds:train_00001"


def test_the_prepared_set_holds_the_pixels_and_the_noise(root, tmp_path):
    made = datasets.make("cifar10", str(root), str(tmp_path / "set"), command="make it")
    verification.verify(made)
    assert (made.name, made.image_size, made.image_format) == ("cifar10", 32, "png")
    assert made.noise["train"]["annotator_3"] == {
        "requested": 0.4,
        "achieved": 0.4,
        "compared": 100,
    }
    first = record.decode(next(shards_lib.read_shard(made.files("train")[0])))
    expected = cifar_roots.planes_of(1)[0].reshape(3, 32, 32).transpose(1, 2, 0)
    np.testing.assert_array_equal(prepared.pixels_of(first.image), expected)
