"""Small runs of kfer-train in a process of their own, and what they leave."""

import json
import os
import sys

import tensorflow as tf

SMALL = (
    "--experiment=synthetic_faces",
    "--width=0.125",
    "--batch_size=8",
    "--steps=8",
    "--eval_every=2",
    "--deterministic",
    "--noexport",
    "--set=gan_start_epoch=0",
    "--set=noise_size=8",
)


def command(data_dir, out_dir, *flags):
    """The words of a small run's command; later flags win."""
    return [
        sys.executable,
        "-m",
        "kfer.bin.train_main",
        *SMALL,
        f"--data_dir={data_dir}",
        f"--out_dir={out_dir}",
        *flags,
    ]


def weights(run_dir, step=8):
    """Name -> value of all that a checkpoint holds."""
    prefix = os.path.join(run_dir, "checkpoints", f"step-{step:08d}")
    reader = tf.train.load_checkpoint(prefix)
    names = reader.get_variable_to_shape_map()
    return {
        name: reader.get_tensor(name)
        for name in names
        if not name.startswith(("_CHECKPOINTABLE", "save_counter"))
    }


def history(run_dir):
    """The evaluations of a run."""
    with open(os.path.join(run_dir, "history.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]
