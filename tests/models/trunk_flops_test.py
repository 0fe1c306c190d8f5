"""Products of each backbone by hand, and against the layers themselves."""

import pytest

from kfer.models import trunk_flops


def total(config):
    return sum(part.products for part in trunk_flops.parts(config))


def test_compact_s_by_hand(tiny_config):
    run = tiny_config(backbone="compact_s", width=1.0)
    # side 31: whitening and 24 -> 64; then 15: 64 -> 64, 64 -> 128; 7: 128 -> 128 twice;
    # 3: 128 -> 128
    by_hand = 31**2 * (12 * 24 + 9 * 24 * 64)
    by_hand += 15**2 * 9 * (64 * 64 + 64 * 128)
    by_hand += 7**2 * 9 * 2 * 128 * 128 + 3**2 * 9 * 128 * 128
    assert total(run) == by_hand == 54_222_624
    assert trunk_flops.features(run) == 128
    first = next(iter(trunk_flops.parts(run)))
    assert (first.name, first.inputs, first.weights) == ("whitening", 0, 0)


def test_an_application_by_its_layers(tiny_config):
    run = tiny_config(backbone="vgg19", width=1.0)
    # VGG-19 at 32 px without padding saved: sides 32, 16, 8, 4, 2
    by_hand = 9 * 32**2 * (3 * 64 + 64 * 64) + 9 * 16**2 * (64 * 128 + 128 * 128)
    by_hand += 9 * 8**2 * (128 * 256 + 3 * 256**2)
    by_hand += 9 * (4**2 * (256 * 512 + 3 * 512**2) + 2**2 * 4 * 512**2)
    assert total(run) == by_hand
    assert trunk_flops.features(run) == 512


def test_depthwise_layers_count_one_input_channel(tiny_config):
    run = tiny_config(backbone="mobilenet", width=1.0)
    found = {part.name: part.products for part in trunk_flops.parts(run)}
    assert found["conv_dw_1"] == 16**2 * 9 * 32
    assert found["conv_pw_1"] == 16**2 * 32 * 64


@pytest.mark.parametrize("backbone", ("vgg16", "compact_xs"))
def test_plain_forms_take_no_fewer(tiny_config, backbone):
    for part in trunk_flops.parts(tiny_config(backbone=backbone)):
        assert part.plain >= part.products > 0
