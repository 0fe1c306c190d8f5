"""VGG-16 convolutions by VGG-Face's and the 2021 code's names."""

import numpy as np
import pytest
from tensorflow import keras

from kfer.errors import UserError
from kfer.models import authors_layout, pretrained
from kfer.models.encoder import Encoder
from kfer.settings.config import experiment_config
from tests import runs


def arrays_of(method):
    """The encoder's convolutions under the 2021 code's names."""
    return {
        name: array
        for name, array in authors_layout.to_arrays(method).items()
        if "conv_block" in name
    }


def short(name):
    """encoder.conv_block3.4.weight -> conv3_3.weight"""
    block, index, kind = name.removeprefix("encoder.conv_block").split(".")
    return f"conv{block}_{int(index) // 2 + 1}.{kind}"


@pytest.mark.parametrize("rename", (str, short))
def test_convolutions_are_filled_and_nothing_else(tmp_path, rename):
    source, target = runs.method(runs.config(), 1), runs.method(runs.config(), 2)
    wanted = arrays_of(source)
    np.savez(tmp_path / "vgg.npz", **{rename(k): v for k, v in wanted.items()})
    dense = target.encoder.embedding[0].kernel.numpy()
    target.encoder.trunk.load(str(tmp_path / "vgg.npz"))
    found = arrays_of(target)
    assert len(found) == 26 and found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)
    assert np.array_equal(target.encoder.embedding[0].kernel.numpy(), dense)


def test_a_missing_array(tmp_path):
    wanted = arrays_of(runs.method(runs.config()))
    wanted.pop("encoder.conv_block5.4.bias")
    np.savez(tmp_path / "vgg.npz", **wanted)
    with pytest.raises(UserError, match="has no conv5_3.weight and conv5_3.bias"):
        pretrained.load(
            runs.method(runs.config()).encoder.convolutions, str(tmp_path / "vgg.npz")
        )


def test_another_width(tmp_path):
    np.savez(tmp_path / "vgg.npz", **arrays_of(runs.method(runs.config())))
    wide = Encoder(experiment_config("synthetic_faces", width=0.25))
    wide(np.zeros((1, 32, 32, 3), np.float32))
    with pytest.raises(UserError, match="use --width=1"):
        pretrained.load(wide.convolutions, str(tmp_path / "vgg.npz"))


def test_weights_that_can_not_be_fetched(monkeypatch):
    def unreachable(**_):
        raise Exception("URL fetch failure on http://x: None -- no route")

    monkeypatch.setattr(keras.applications, "VGG16", unreachable)
    with pytest.raises(UserError, match="can't be had .URL fetch.*; name a file") as e:
        pretrained.load([], "imagenet")
    assert "\n" not in str(e.value)
