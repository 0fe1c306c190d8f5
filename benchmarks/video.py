"""Frames a second and memory of kfer-predict on a drawn video: one JSON line.

python benchmarks/video.py [--seconds=60] [--every=1] [--detector=mtcnn] [--annotate]

The video is 640 x 480 at 25 frames a second: two drawn people walk to and fro before a
still ground and change their faces every second. The model is an untrained one of 32 px
(time doesn't depend on the weights). kfer-predict writes CSV in a process of its own,
whose peak memory is compared with that for the first tenth of the video; times are what
the whole video takes longer than that tenth, so that starting doesn't count.
"""

import csv
import dataclasses
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from absl import app, flags

from kfer.data import drawn_faces
from kfer.data.drawn_faces import degrade
from kfer.faces import framing, recorded
from kfer.faces.detectors import DEFAULT, DETECTORS

FLAGS = flags.FLAGS

flags.DEFINE_integer("seconds", 60, "Of the video.", lower_bound=10)
flags.DEFINE_integer("every", 1, "Frame that is looked at.", lower_bound=1)
flags.DEFINE_enum("detector", DEFAULT, sorted(DETECTORS), "Finds the faces.")
flags.DEFINE_bool("annotate", False, "Also write the video with answers drawn.")
flags.DEFINE_integer("seed", 0, "Other seeds draw other people.")

WIDTH, HEIGHT, FPS = 640, 480, 25
SIDE = 200
LOOKS = 6
PEOPLE = 2


def people(rng: np.random.Generator) -> list[list[np.ndarray]]:
    """PEOPLE x LOOKS pictures, uint8 [SIDE, SIDE, 3]: one person with several faces."""
    found = []
    for _ in range(PEOPLE):
        person = drawn_faces.sample_face(rng)
        looks = (
            dataclasses.replace(
                person, expression=drawn_faces.sample_face(rng).expression
            )
            for _ in range(LOOKS)
        )
        found.append([drawn_faces.draw(look, SIDE) for look in looks])
    return found


def write_video(path: str, seconds: int, rng: np.random.Generator) -> None:
    """The video described above."""
    ground = degrade.background(drawn_faces.sample_face(rng).scene, WIDTH)[:HEIGHT]
    drawn = people(rng)
    code = cv2.VideoWriter_fourcc(*"mp4v")
    writer = cv2.VideoWriter(path, code, FPS, (WIDTH, HEIGHT))
    for index in range(FPS * seconds):
        frame = ground.copy()
        for number, looks in enumerate(drawn):
            phase = 2 * np.pi * (index / FPS / 8 + number / 3)
            left = 320 * number + int(60 * (1 + np.sin(phase)))
            top = 140 + int(60 * np.cos(phase))
            look = looks[index // FPS % LOOKS]
            frame[top : top + SIDE, left : left + SIDE] = look
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()


def write_model(path: str) -> None:
    """An untrained encoder of 32 px."""
    from kfer import methods
    from kfer.serving import export
    from kfer.settings import config as config_lib
    from kfer.training.optimizers import Adam

    config = methods.resolve_tasks(
        config_lib.experiment_config("synthetic_faces", method="vgg_all")
    )
    method = methods.build(config)
    method.compile(Adam())
    method.build_all()
    notes = export.Notes(framing=recorded.note(framing.AS_GIVEN, FLAGS.detector))
    export.export_model(method, config, path, notes=notes)


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of kfer-predict: wall and processor seconds, 10^6 bytes at most, rows."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    rows: list[dict[str, str]]


def predict(folder: str, seconds: int) -> Run:
    """kfer-predict on the video's first seconds."""
    command = [
        *(sys.executable, "-m", "kfer.bin.predict_main", f"{folder}/in.mp4"),
        *(f"--model={folder}/model", "--format=csv", f"--every={FLAGS.every}"),
        f"--seconds={seconds}",
    ]
    if FLAGS.annotate:
        command.append(f"--annotate={folder}/drawn-{seconds}")
    start = time.perf_counter()
    with open(f"{folder}/out.csv", "w+", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out)
        # Of this child alone, where the resource module has the largest of all.
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"kfer-predict ended with {process.returncode}")
        out.seek(0)
        rows = list(csv.DictReader(out))
    cpu = usage.ru_utime + usage.ru_stime
    return Run(taken, cpu, usage.ru_maxrss * 1024 / 1e6, rows)


def report(folder: str) -> dict[str, Any]:
    """What a run on a tenth and one on the whole say together."""
    tenth = FLAGS.seconds // 10
    short, whole = predict(folder, tenth), predict(folder, FLAGS.seconds)
    frames = FPS * (FLAGS.seconds - tenth)
    cpu = whole.cpu_seconds - short.cpu_seconds
    return {
        "frames_per_second": round(frames / (whole.seconds - short.seconds), 1),
        "frames_per_cpu_second": round(frames / cpu, 1),
        "megabytes": round(whole.megabytes),
        "megabytes_of_a_tenth": round(short.megabytes),
        "rows": len(whole.rows),
        "rows_without_face": sum(r["note"] == "no face found" for r in whole.rows),
        "faces_followed": len({row["face"] for row in whole.rows if row["face"]}),
    }


def main(argv: Sequence[str]) -> None:
    """Prints the line."""
    del argv
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(FLAGS.seed)
        write_video(f"{folder}/in.mp4", FLAGS.seconds, rng)
        write_model(f"{folder}/model")
        told = {
            "video": f"{FLAGS.seconds} s, {WIDTH} x {HEIGHT}, {FPS} frames/s",
            "every": FLAGS.every,
            "detector": FLAGS.detector,
            "annotate": FLAGS.annotate,
            "cores": len(os.sched_getaffinity(0)),
            "machine": platform.machine(),
        }
        print(json.dumps(told | report(folder)))


if __name__ == "__main__":
    app.run(main)
