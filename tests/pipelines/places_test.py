"""Folders and flags that a runner hands to a pipeline."""

import os

import pytest

from kfer.errors import UserError
from pipelines import config, places


def test_beams_runner_is_named_once():
    found = places.beam_flags("image:1", ["--direct_num_workers=2"])
    assert found == (
        "--runner=FnApiRunner",
        "--sdk_container_image=image:1",
        "--direct_num_workers=2",
    )
    other = places.beam_flags("image:1", ["--runner=FlinkRunner"])
    assert other == ("--sdk_container_image=image:1", "--runner=FlinkRunner")


@pytest.mark.parametrize(
    "words", [["--runner=DaskRunner"], ["--runner=dask"], ["--x=1", "--runner", "Dask"]]
)
def test_a_runner_that_can_not_read_statistics_is_refused(words):
    with pytest.raises(UserError, match="kfer's DaskRunner can't run statistics_gen"):
        places.beam_flags("image:1", words)


def test_raw_data_have_a_digest_and_a_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "list").write_text("1")
    raf, drawn = config.named("raf_base").source, config.named("synthetic_faces").source
    found = places.source_data(raf, "raw", "schema", "--data_dir")
    assert found.root == str(tmp_path / "raw") and len(found.digest) == 16
    assert places.source_data(drawn, "", "schema", "--data_dir") == places.Data(
        "", "", "schema"
    )


def test_what_is_missing_or_not_wanted(tmp_path):
    raf, drawn = config.named("raf_base"), config.named("synthetic_faces")
    with pytest.raises(UserError, match="Name the folder of raf with --data_dir"):
        places.source_data(raf.source, "", "schema", "--data_dir")
    with pytest.raises(UserError, match="synthetic_faces is drawn; leave --data_dir"):
        places.source_data(drawn.source, "raw", "schema", "--data_dir")
    with pytest.raises(UserError, match="The pipeline synthetic_faces has no teacher"):
        places.check_teacher(drawn, "", "model")
    with pytest.raises(UserError, match="Name a --teacher_model, or the --teacher_dat"):
        places.check_teacher(raf, "data", "model")
    places.check_teacher(raf, "data", "")
    with pytest.raises(UserError, match="is no kfer model"):
        places.teacher_model(str(tmp_path))


def test_commands_and_audits_don_t_restart_a_training():
    names = [os.path.basename(folder) for folder in places.code_packages()]
    assert {"models", "methods", "training", "data", "components"} <= set(names)
    assert not {"bin", "audit", "experiments", "lineage"} & set(names)
