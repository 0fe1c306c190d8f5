"""Forms of a convolution, counted by hand."""

from kfer.models import flop_lines


def test_forms_of_a_convolution():
    # 8x8 map, 2 channels to 3: 9 taps at 64 places, 6 products each
    assert flop_lines.conv3x3(8, 2, 3) == (9 * 64 * 6, 9 * 64 * 6)
    # 1x1: the centre tap; 2x2: each of 4 places sees each of 4
    assert flop_lines.conv3x3(1, 2, 3) == (6, 54)
    assert flop_lines.conv3x3(2, 2, 3) == (4 * 4 * 6, 4 * 9 * 6)
    # pooled: 16 taps at 16 places instead of 9 at 64
    assert flop_lines.conv3x3_pool(8, 2, 3) == (16 * 16 * 6, 9 * 64 * 6)
    assert flop_lines.conv3x3_pool(2, 2, 3) == (4 * 6, 4 * 9 * 6)
    assert flop_lines.conv3x3_pool(3, 2, 3) == flop_lines.conv3x3(3, 2, 3)
    # a 4x4 kernel from each place
    assert flop_lines.deconvolution(2, 2, 3) == (4 * 16 * 6, 4 * 16 * 6)
