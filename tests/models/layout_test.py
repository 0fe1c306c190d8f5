import subprocess
import sys

import pytest

from kfer.models import layout
from kfer.settings.config import IMAGE_SIZES


def test_nets_are_the_paper_s():
    convolutions = [count for row in layout.ENCODER_BLOCKS for count in row]
    assert len(convolutions) == 13 and convolutions[-1] == 512  # VGG-16
    # five blocks halve 32 px to 1x1, the sixth stays
    assert len(layout.IMAGE_CHANNELS) == 6


def test_ladder_ends_one_doubling_below_the_image():
    for size in IMAGE_SIZES:
        base, channels = layout.ladder(size)
        assert base * 2 ** (len(channels) + 1) == size
        assert channels[0] == 512


@pytest.mark.parametrize("size, side", [(32, 32), (48, 48), (64, 32), (256, 128)])
def test_where_the_image_stream_begins(size, side):
    assert layout.first_side(size) == side
    assert side // 2**5 > 0  # five blocks halve it


def test_no_tensorflow_is_imported():
    code = "import sys; from kfer.models import flops; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
