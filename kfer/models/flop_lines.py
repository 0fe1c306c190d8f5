"""What the products of one layer are, and how often a training step passes it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Line:
    """One layer in one net.

    Attributes:
      net: 'encoder', 'decoder' or 'discriminator'.
      name: of the layer.
      products: of one pass forward for one image, as kfer computes it.
      plain: the same in the plain form: products with padding, pooling afterwards.
      forward: passes forward in a training step.
      inputs: passes back to the layer's inputs in a training step.
      weights: passes back to the layer's weights in a training step.
      kernel: size of a kernel under spectral normalisation, else 0.
      norms: passes forward and back through its norm in a training step.
    """

    net: str
    name: str
    products: int
    plain: int
    forward: int = 0
    inputs: int = 0
    weights: int = 0
    kernel: int = 0
    norms: int = 0

    @property
    def passes(self) -> int:
        return self.forward + self.inputs + self.weights

    @property
    def total(self) -> int:
        """Products of a training step for one image."""
        return self.passes * self.products

    @property
    def plain_total(self) -> int:
        """The same in the plain form."""
        return self.passes * self.plain

    @property
    def norm_total(self) -> int:
        """Products of a training step for the kernel's norm, whatever the batch.

        K u and K^T v forward; a sum over the kernel and an outer product back.
        """
        return 2 * self.kernel * self.norms


def conv3x3(side: int, channels: int, filters: int) -> tuple[int, int]:
    """(products, plain) of kfer.models.convolution.conv3x3 on one image."""
    taps = {1: 1, 2: 16}.get(side, 9 * side**2)
    return taps * channels * filters, 9 * side**2 * channels * filters


def conv3x3_pool(side: int, channels: int, filters: int) -> tuple[int, int]:
    """(products, plain) of kfer.models.convolution.conv3x3_pool on one image."""
    if side % 2:
        return conv3x3(side, channels, filters)
    taps = 4 if side == 2 else 16 * (side // 2) ** 2
    return taps * channels * filters, 9 * side**2 * channels * filters


def deconvolution(side: int, channels: int, filters: int) -> tuple[int, int]:
    """(products, plain) of a transposed 4x4 convolution of stride 2 on one image."""
    products = 16 * side**2 * channels * filters
    return products, products
