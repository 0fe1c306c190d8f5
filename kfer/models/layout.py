"""The networks' depths and channel counts at width 1; no TensorFlow needed."""

# Channels after each of the encoder's 3x3 convolutions; a block ends with pooling.
ENCODER_BLOCKS = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)

# Channels of the compact backbones' three groups of two 3x3 convolutions.
COMPACT_GROUPS = {
    "compact": (64, 256, 256),
    "compact_s": (64, 128, 128),
    "compact_xs": (32, 64, 64),
}

# Their first convolution: 2x2 patches of 3 channels, each eigenvector in both signs.
PATCH = 2
WHITENED = 2 * PATCH * PATCH * 3

# Channels of the residual blocks of the discriminator's image stream.
IMAGE_CHANNELS = (64, 128, 256, 512, 512, 512)

# From the image down: each step back towards the 1x1 start doubles up to 512 channels.
_TOP_CHANNELS = {
    4: (512, 256, 128),
    5: (512, 512, 256, 128),
    6: (512, 512, 256, 128, 64),
}


def first_side(image_size: int) -> int:
    """The side at which the discriminator's image stream begins.

    The 2021 code halves pictures above 32 px at once. Of 48 px that would leave nothing
    for the fifth block to halve.
    """
    return image_size if image_size <= 48 else image_size // 2


def ladder(image_size: int) -> tuple[int, tuple[int, ...]]:
    """The side of the first map and the channels after each doubling but the last.

    32, 64 and 128 px are the 2021 code's; 256 goes on by its rule, 96 is the ladder of
    32 px from a 3x3 map, and 48 the same with a step less.
    """
    base = 3 if image_size % 3 == 0 else 1
    doublings = (image_size // base).bit_length() - 1
    if doublings in _TOP_CHANNELS:
        return base, _TOP_CHANNELS[doublings]
    return base, (512,) * (doublings - 6) + _TOP_CHANNELS[6]
