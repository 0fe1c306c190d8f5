"""The committed label schemas, written from kfer.data.record by `python -m`."""

import hashlib
import os
import sys

from kfer.data import label_schema
from pipelines import config as config_lib
from pipelines.config import PipelineConfig

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemas")
TEACHER = "_teacher"


def texts(config: PipelineConfig) -> dict[str, str]:
    """File name -> schema, of the data and of the teacher's if there is one."""
    found = {f"{config.name}.pbtxt": label_schema.schema_text(*config.columns())}
    if config.teacher:
        columns = config_lib.teacher_columns(config)
        name = f"{config.name}{TEACHER}.pbtxt"
        found[name] = label_schema.schema_text(*columns)
    return found


def path_of(config: PipelineConfig, teacher: bool = False) -> str:
    """The committed schema's file."""
    return os.path.join(FOLDER, f"{config.name}{TEACHER if teacher else ''}.pbtxt")


def text_of(config: PipelineConfig, teacher: bool = False) -> str:
    """The committed schema, or the one that data of one's own declare."""
    if config.name == config_lib.OWN_DATA:
        return label_schema.schema_text(*config.columns())
    with open(path_of(config, teacher), encoding="utf-8") as file:
        return file.read()


def name_of(config: PipelineConfig, teacher: bool = False) -> str:
    """A schema's file name with a hash of its content, which TFX's cache then sees."""
    content = hashlib.sha256(text_of(config, teacher).encode()).hexdigest()[:16]
    return f"{config.name}{TEACHER if teacher else ''}-{content}.pbtxt"


def write_all(folder: str) -> None:
    """Writes the schemas of all named pipelines."""
    for name in config_lib.PIPELINES:
        for file_name, text in texts(config_lib.named(name)).items():
            with open(os.path.join(folder, file_name), "w", encoding="utf-8") as file:
                file.write(text)


if __name__ == "__main__":
    write_all(*sys.argv[1:] or [FOLDER])
