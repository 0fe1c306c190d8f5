"""What D tells the encoder in a trained run of the proposed method: one JSON line.

python benchmarks/adversarial_share.py --run=DIR --data_dir=DATA

Over some training batches: how well each score tells the encoder's group from the
decoder's (0.5 is chance), its means on both, and the adversarial term's gradient on the
encoder's layers beside that of the label losses. The run's files are not changed.
"""

import itertools
import json
from collections.abc import Sequence
from typing import Any

from absl import flags

from kfer.bin import common
from kfer.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("run", None, "Folder of a finished run.", required=True)
flags.DEFINE_string("data_dir", None, "Its prepared data set.", required=True)
flags.DEFINE_integer("batches", 8, "Training batches to look at.", 1)


def look(method: Any, batch: Any) -> tuple[dict[str, list[float]], list[float]]:
    """By score [mean of encoder's, of decoder's, share told apart]; and the gradients'
    [size of label losses', of the adversarial term's, cosine]."""
    import tensorflow as tf

    from kfer.losses import adversarial

    with tf.GradientTape(persistent=True) as tape:
        output, groups = method.forward(batch)
        label_loss = method.label_loss(batch, output)
        pair = method.score(groups)
        terms = (adversarial.generator_encoder, adversarial.generator_decoder)
        parts = [
            method.reduce_scores(scores, batch, term)
            for scores, term in zip(pair, terms, strict=True)
        ]
        gan = method.config.lambda_gan * (parts[0] + parts[1])
    body = [
        variable
        for layer in itertools.chain(
            *method.encoder.convolutions, method.encoder.embedding
        )
        for variable in layer.trainable_variables
    ]
    label, adverse = (
        tf.concat([tf.reshape(g, [-1]) for g in tape.gradient(loss, body)], 0)
        for loss in (label_loss, gan)
    )
    sizes = [float(tf.norm(label)), float(tf.norm(adverse))]
    cosine = float(tf.tensordot(label, adverse, 1)) / (sizes[0] * sizes[1])
    scores = {}
    for name, encoder in pair[0].by_stream.items():
        decoder = pair[1].by_stream[name]
        right = tf.concat([encoder > 0, decoder < 0], 0)
        values = (encoder, decoder, tf.cast(right, tf.float32))
        scores[name] = [float(tf.reduce_mean(value)) for value in values]
    return scores, [*sizes, cosine]


def main(argv: Sequence[str]) -> int:
    import numpy as np

    from kfer.data import dataset, input_pipeline
    from kfer.training import compiling

    method, config, step = compiling.restored(FLAGS.run)
    if getattr(method, "discriminator", None) is None:
        raise UserError(f"{FLAGS.run} is of {config.method!r}, which has no D")
    data = input_pipeline.train_dataset(dataset.load(FLAGS.data_dir), config, step)
    seen = [look(method, batch) for batch in data.take(FLAGS.batches)]
    label, adverse, cosine = np.mean([gradients for _, gradients in seen], axis=0)
    line = {
        "step": step,
        "gradient_share": round(adverse / label, 4),
        "cosine": round(cosine, 4),
        "scores_encoder_decoder_told_apart": {
            name: np.mean([s[name] for s, _ in seen], axis=0).round(3).tolist()
            for name in seen[0][0]
        },
        "command": common.command_line(),
    }
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    common.run(main)
