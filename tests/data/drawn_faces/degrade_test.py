import dataclasses

import numpy as np
import pytest

from kfer.data.drawn_faces import degrade
from kfer.data.drawn_faces.parameters import face_rng, sample_face
from kfer.data.drawn_faces.style import BACKGROUNDS

SCENE = dataclasses.replace(
    sample_face(face_rng(0, 0)).scene,
    light=0.0,
    exposure=0.0,
    contrast=1.0,
    tint=(0.0, 0.0, 0.0),
    blur=0.0,
    noise=0.0,
    colors=((200, 10, 10), (10, 200, 10), (10, 10, 200)),
)


def scene(**fields):
    return dataclasses.replace(SCENE, **fields)


def picture(value=100, side=33):
    return np.full((side, side, 3), value, np.uint8)


def test_a_plain_scene_changes_nothing():
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    np.testing.assert_array_equal(degrade.degrade(noise, SCENE), noise)


def test_light_grows_along_its_angle():
    lit = degrade.degrade(picture(), scene(light=0.3, light_angle=0.0))
    # 100 * 0.7 at the left edge, 100 in the middle, 100 * 1.3 at the right.
    assert lit[5, [0, 16, 32], 0].tolist() == [70, 100, 130]
    down = degrade.degrade(picture(), scene(light=0.3, light_angle=np.pi / 2))
    assert down[[0, 16, 32], 5, 0].tolist() == [70, 100, 130]


def test_exposure_contrast_and_tint_by_hand():
    assert degrade.degrade(picture(), scene(exposure=0.2))[0, 0, 0] == 120
    # (100 - 128) * 0.5 + 128
    assert degrade.degrade(picture(), scene(contrast=0.5))[0, 0, 0] == 114
    tinted = degrade.degrade(picture(), scene(tint=(0.1, 0.0, -0.1)))
    assert tinted[0, 0].tolist() == [110, 100, 90]
    assert degrade.degrade(picture(250), scene(exposure=0.2)).max() == 255


def test_noise_has_its_standard_deviation_and_its_own_seed():
    noisy = degrade.degrade(picture(side=128), scene(noise=10.0, noise_seed=1))
    # Rounding adds 1/12 to the variance of 100.
    assert noisy.std() == pytest.approx(10.0, abs=0.2)
    again = degrade.degrade(picture(side=128), scene(noise=10.0, noise_seed=1))
    np.testing.assert_array_equal(noisy, again)
    other = degrade.degrade(picture(side=128), scene(noise=10.0, noise_seed=2))
    assert np.any(other != noisy)


def test_blur_scales_with_the_picture():
    def edge_width(side):
        sharp = picture(0, side)
        sharp[:, side // 2 :] = 255
        soft = degrade.degrade(sharp, scene(blur=0.05))[side // 2, :, 0]
        return np.sum((soft > 25) & (soft < 230)) / side

    assert edge_width(64) == pytest.approx(edge_width(256), abs=0.04)
    assert edge_width(256) > 0.08


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_backgrounds_use_the_scenes_colors(kind):
    drawn = degrade.background(scene(background=kind, light_angle=0.3), 64)
    assert drawn.shape == (64, 64, 3) and drawn.dtype == np.uint8
    colors = {tuple(c) for c in drawn.reshape(-1, 3).tolist()}
    assert ((200, 10, 10) in colors) or kind == "gradient"
    assert (len(colors) == 1) == (kind == "plain")
    if kind == "gradient":
        # Light comes from the right: the second colour is there.
        assert drawn[32, 0, 0] > 150 and drawn[32, 63, 1] > 150
