import pathlib
import pickle
import zipfile

import numpy as np
import pytest

from kfer.data.datasets import ReaderOptions, cifar10n
from kfer.errors import UserError
from tests.data.datasets import cifar_roots

SHARED = pathlib.Path(__file__).parents[3] / "../shared/data/cifar10n_human_labels.npz"


@pytest.fixture
def root(tmp_path):
    return cifar_roots.make(tmp_path / "raw")


def read(root, **options):
    return list(cifar10n.read(str(root), ReaderOptions(**options)))


def save(root, **changes) -> None:
    np.savez(root / cifar10n.ARRAYS, **{**cifar_roots.human_labels(), **changes})


def test_columns_are_the_peoples(root):
    example = read(root)[12]
    # Row 12 of batch 1 is a 3. Person 1 is wrong by 1 on it, person 2 by 2, 3 is not.
    assert example.clean == {"class": 3}
    assert example.labels == {
        "annotator_1": 4,
        "annotator_2": 5,
        "annotator_3": 3,
        "majority": 4,  # all differ: the first person's
        "aggregate": 3,
        "worst": 6,
    }
    assert set(cifar10n.columns(ReaderOptions())) == set(example.labels)
    assert read(root)[100].labels == {}


def test_limits_keep_rows_and_labels_together(root):
    whole, some = read(root), read(root, limit={"train": 50, "test": 1})
    assert [e.labels for e in some[:50]] == [e.labels for e in whole[:50]]
    assert len(some) == 51


def test_labels_are_found_beside_the_batch_folder_too(root):
    inside = read(root / "cifar-10-batches-py")
    assert inside[0].labels == read(root)[0].labels


def test_labels_of_another_length_or_order_are_refused(root):
    truth = cifar_roots.human_labels()["clean_label"]
    save(root, clean_label=np.roll(truth, -1))
    with pytest.raises(
        UserError, match=r"in another order: \d+ of 100 clean labels.*row \d"
    ):
        read(root)
    save(root, random_label2=truth[:99])
    with pytest.raises(
        UserError, match=r"random_label2 of shape \(99,\), the training b"
    ):
        read(root)
    (root / "cifar-10-batches-py" / "data_batch_5").unlink()
    save(root)
    with pytest.raises(
        UserError, match=r"clean_label of shape \(100,\), .* have 80 rows"
    ):
        read(root)


def test_labels_that_are_none_are_refused(root):
    truth = cifar_roots.human_labels()["clean_label"]
    save(root, worse_label=truth + 1)
    with pytest.raises(UserError, match=r"has labels in worse_label outside 0..9"):
        read(root)
    save(root, worse_label=truth.astype(float))
    with pytest.raises(
        UserError, match=r"has no integer array worse_label; found \['ag"
    ):
        read(root)
    (root / cifar10n.ARRAYS).write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(UserError, match=r"npz is cut off or no npz file"):
        read(root)
    (root / cifar10n.ARRAYS).unlink()
    with pytest.raises(UserError, match=r"Neither cifar10n_human_labels.npz nor CIFAR"):
        read(root)


def test_the_official_file_is_read_without_torch(root):
    expected = read(root)
    (root / cifar10n.ARRAYS).unlink()
    arrays = {k: v.astype(np.int64) for k, v in cifar_roots.human_labels().items()}
    with zipfile.ZipFile(root / cifar10n.OFFICIAL, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(arrays, protocol=2))
        archive.writestr("archive/version", "3\n")
    assert [e.labels for e in read(root)] == [e.labels for e in expected]
    (root / cifar10n.OFFICIAL).write_bytes(b"not a zip")
    with pytest.raises(UserError, match=r"CIFAR-10_human.pt is cut off or no CIFAR"):
        read(root)


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is not here")
def test_noise_of_the_real_labels():
    truth = np.load(SHARED)["clean_label"].astype(np.int64)
    labels = cifar10n.read_labels(str(SHARED), truth)
    noise = {
        name: round(100 * np.mean(labels[array] != truth), 2)
        for name, array in cifar10n.COLUMNS.items()
    }
    # As published with CIFAR-10N.
    assert noise == {
        "annotator_1": 17.23,
        "annotator_2": 18.12,
        "annotator_3": 17.64,
        "aggregate": 9.01,
        "worst": 40.21,
    }
