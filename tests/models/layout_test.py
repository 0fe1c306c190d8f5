import subprocess
import sys

from kfer.models import layout


def test_nets_are_the_paper_s():
    convolutions = [count for row in layout.ENCODER_BLOCKS for count in row]
    assert len(convolutions) == 13 and convolutions[-1] == 512  # VGG-16
    # five blocks halve 32 px to 1x1, the sixth stays
    assert len(layout.IMAGE_CHANNELS) == 6


def test_ladder_ends_one_doubling_below_the_image():
    for size in (32, 64, 96, 128, 256):
        base, channels = layout.ladder(size)
        assert base * 2 ** (len(channels) + 1) == size
        assert channels[0] == 512


def test_no_tensorflow_is_imported():
    code = "import sys; from kfer.models import flops; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
