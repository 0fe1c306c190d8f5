"""Writes docs/flops.md: python benchmarks/flops.py > docs/flops.md"""

from collections.abc import Sequence

from absl import app

from kfer import flops
from kfer.config import experiment_config

INTRODUCTION = """# What a training step multiplies

Written by `python benchmarks/flops.py > docs/flops.md` from `kfer/flops.py`.

Millions of products (one multiplication and addition, 2 FLOP) for one image, batch 128.
`one pass` is what kfer computes, `plain` the layer as it is written down: a 3x3
convolution with all products with padding, and pooling after it. The next three columns
say how often a step goes through the layer: forward, back to its inputs, back to its
weights. `step` and `plain step` are the products in all. The plain form here leaves out
the passes that no loss needs, too; what is done by element is in neither.

The exact savings, each tested in values and gradients:

- a 3x3 convolution and 2x2 average pooling are one 4x4 convolution of stride 2;
- the 1x1 shortcut pools first;
- on 1x1 maps a 3x3 kernel is its centre, on 2x2 maps a dense layer;
- the generator step has no gradients of D's weights and none through the real image;
- a stream's first layer, the encoder's too, has no gradient to its input in D steps;
- sigma is computed once for both groups (`shared_sigma`).
"""


def main(argv: Sequence[str]) -> None:
    del argv
    print(INTRODUCTION)
    names = ("cifar10_multi", "raf_multi")
    print("\n\n".join(flops.table(experiment_config(name)) for name in names))


if __name__ == "__main__":
    app.run(main)
