"""The committed schemas are what the records say."""

import os

import pytest

from pipelines import config, schemas


@pytest.mark.parametrize("name", config.PIPELINES)
def test_committed_schemas_are_up_to_date(name):
    for file_name, text in schemas.texts(config.named(name)).items():
        with open(os.path.join(schemas.FOLDER, file_name), encoding="utf-8") as file:
            assert file.read() == text, "run python -m pipelines.schemas"


def test_there_are_no_others(tmp_path):
    schemas.write_all(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == sorted(os.listdir(schemas.FOLDER))


def test_paths():
    described = config.named("raf_base")
    assert os.path.isfile(schemas.path_of(described))
    assert schemas.path_of(described, teacher=True).endswith("raf_base_teacher.pbtxt")
