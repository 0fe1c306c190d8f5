"""Writes docs/design/flops.md: python benchmarks/flops.py > docs/design/flops.md"""

from collections.abc import Sequence

from absl import app

from kfer.models import flop_table
from kfer.settings.config import experiment_config

INTRODUCTION = """# What a training step multiplies

Written by `python benchmarks/flops.py > docs/design/flops.md` from
`kfer/models/flops.py` and the modules that it counts by.

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

The count is checked from outside: PyTorch's `FlopCounterMode` around the step of
`benchmarks/xla/torch_step.py`, written as the 2021 code has it, counts 5.14165504 GMAC
an image for CIFAR-10, as the plain form here does to the last digit (norms apart, which
PyTorch does not count). Estimates of 4.96 GMAC for the plain step and 3.3 for the exact
one are both this count without the dense layers' products backward, 0.187 GMAC.

What could still be left out exactly, and is not, as it would cut one fast convolution
into many small products; no gain in time was measured. CIFAR-10, GMAC an image:

- `block3.conv2` meets padding with 7 of its 16 taps everywhere on its 4x4 map: 0.110;
- 44 of 144 products of a 3x3 convolution on a 4x4 map are with padding: 0.087 in the
  encoder's conv4, 0.087 in `block3.conv1`;
- `deconv1` reaches beyond its 1x1 map with 12 of its 16 taps: 0.009;
- in the generator step `joint.linear` has gradients to streams that nothing of the
  generator's is below: 0.003.
"""


def main(argv: Sequence[str]) -> None:
    del argv
    print(INTRODUCTION)
    names = ("cifar10_multi", "raf_multi")
    print("\n\n".join(flop_table.table(experiment_config(name)) for name in names))


if __name__ == "__main__":
    app.run(main)
