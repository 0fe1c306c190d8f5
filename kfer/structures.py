"""The tuples that cross files. A field's comment is its contract."""

from typing import Any, NamedTuple


class Noise(NamedTuple):
    """All that is random in a training step, drawn with the data so that a step is a
    pure function of its batch: the same on one replica or many, and after a kill."""

    y0_encoder: Any  # [B, Z] standard normal, the encoder's reparameterisation
    y0_decoder: Any  # [B, Z] standard normal, the decoder's y0
    dropout: Any  # [B, 2E] uniform in [0, 1), the encoder's two dropout layers


class CrowdLabels(NamedTuple):
    """Who said what of each picture, R annotators at most."""

    annotator: Any  # [B, R] int64, the annotator's number; -1 for none
    label: Any  # [B, R] int64 or [B, R, D] float32; 0 for none
    mask: Any  # [B, R] float32, 1 where there is a label


class Batch(NamedTuple):
    """What the input pipeline gives a training step."""

    image: Any  # [B, H, W, 3] float32 in [-1, 1]
    # task -> classes int32 [B], probabilities of classes float32 [B, K] (see
    # kfer.losses.categorical), or values float32 [B, D]; 0 where missing
    labels: dict[str, Any]
    # task -> float32 [B], 1 where the label is given, 0 where not; between them the
    # weight of a mixed picture of which one part has a label
    mask: dict[str, Any]
    noise: Noise
    index: Any  # [B] int64, the example's position in the split
    # task -> CrowdLabels, of tasks on a crowd column; `labels` has their majority
    crowd: dict[str, CrowdLabels] = {}


class EncoderOutput(NamedTuple):
    """G_Y(x), Eq. 5."""

    mean: Any  # [B, Z] mean of y0
    logvar: Any  # [B, Z] log variance of y0
    labels: dict[str, Any]  # task -> [B, size] logits, or values in the label's unit


class Scores(NamedTuple):
    """D's scores of one group: stream -> [B], in order x, y0, label streams, joint."""

    by_stream: dict[str, Any]
