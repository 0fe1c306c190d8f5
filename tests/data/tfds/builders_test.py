"""The TFDS builders over a prepared data set."""

import numpy as np
import pytest

from kfer.data.datasets import ReaderOptions, manifest
from kfer.errors import UserError
from kfer.preprocess import job
from kfer.preprocess.transforms import Settings

pytest.importorskip("importlib_resources", reason="tensorflow_datasets imports it")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    manifest.make_fake_root(str(folder / "raw"), 10, np.random.default_rng(0))
    settings = Settings("", image_size=32, image_format="png")
    return job.run(
        job.Job(
            "manifest",
            str(folder / "raw"),
            str(folder / "out"),
            ReaderOptions(),
            settings,
        )
    )


@pytest.mark.parametrize("name", ["kfer_manifest", "kfer_prepared"])
def test_load_gives_every_record(prepared, tmp_path, name):
    import tensorflow_datasets as tfds

    import kfer.data.tfds  # noqa: F401
    from kfer.data import record as record_lib
    from kfer.data import shards
    from kfer.images import decode

    loaded, info = tfds.load(
        name,
        split="train",
        data_dir=str(tmp_path),
        builder_kwargs={"prepared_dir": prepared.root},
        with_info=True,
    )
    records = {
        record.image_id: record
        for path in prepared.files("train")
        for record in map(record_lib.decode, shards.read_shard(path))
    }
    rows = {row["image_id"].decode(): row for row in tfds.as_numpy(loaded)}
    assert set(rows) == set(records) and len(rows) == 8
    assert info.features["label/expression"].names[:2] == ["neutral", "happy"]
    for image_id, record in records.items():
        row = rows[image_id]
        np.testing.assert_array_equal(row["image"], decode.decode(record.image))
        assert row["label/annotator_2"] == record.labels.get("annotator_2", -1)
        expected = record.labels.get("valence_arousal", (np.nan, np.nan))
        np.testing.assert_allclose(row["label/valence_arousal"], expected, atol=1e-6)


def test_wrong_folders_are_refused(prepared):
    from kfer.data.tfds import KferRaf

    with pytest.raises(UserError, match="holds manifest, kfer_raf reads raf"):
        KferRaf(prepared_dir=prepared.root)
    with pytest.raises(UserError, match="pass builder_kwargs"):
        KferRaf()
