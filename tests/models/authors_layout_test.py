import builtins
import zipfile

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.models import authors_layout


def random_arrays(method, seed=0):
    """Values of the right names and shapes that no layer starts with."""
    random = np.random.default_rng(seed)
    return {
        name: random.normal(size=np.shape(value)).astype(np.float32)
        for name, value in authors_layout.to_arrays(method).items()
    }


def test_names_are_unique_and_in_the_order_of_the_nets(joint):
    names = [p.name for p in authors_layout.parameters(joint)]
    assert len(set(names)) == len(names)
    nets = list(dict.fromkeys(name.split(".")[0] for name in names))
    assert nets == ["encoder", "decoder", "d_x", "d_z0", "d_y1", "d_va", "d_joint"]


def test_every_variable_has_a_place(joint):
    placed = {v.ref() for p in authors_layout.parameters(joint) for v in p.variables}
    metrics = {v.ref() for metric in joint.metrics for v in metric.variables}
    ours = {v.ref() for v in joint.trainable_variables + joint.non_trainable_variables}
    assert placed == ours - metrics
    trained = {
        v.ref()
        for p in authors_layout.parameters(joint)
        for v in p.variables
        if p.trained
    }
    assert trained == {v.ref() for v in joint.trainable_variables}


def test_no_value_is_lost_or_repeated(joint):
    arrays = authors_layout.to_arrays(joint)
    metrics = {v.ref() for metric in joint.metrics for v in metric.variables}
    sizes = {v.ref(): v.numpy().size for v in joint.variables}
    expected = sum(size for ref, size in sizes.items() if ref not in metrics)
    assert authors_layout.count(arrays) == expected


def test_assign_then_read_is_the_identity(joint):
    arrays = random_arrays(joint)
    authors_layout.assign(joint, arrays)
    back = authors_layout.to_arrays(joint)
    assert list(back) == list(arrays)
    for name, value in arrays.items():
        np.testing.assert_array_equal(back[name], value, err_msg=name)


def test_reading_then_assigning_changes_no_variable(joint, snapshot):
    authors_layout.assign(joint, random_arrays(joint))
    state = snapshot(joint)
    authors_layout.assign(joint, authors_layout.to_arrays(joint))
    assert not state.changed(trained_only=False)


def test_layouts_by_hand(joint):
    arrays = random_arrays(joint)
    authors_layout.assign(joint, arrays)
    # convolution (out, in, kh, kw)
    kernel = joint.encoder.convolutions[1][0].kernel.numpy()
    assert kernel[2, 0, 3, 5] == arrays["encoder.conv_block2.0.weight"][5, 3, 2, 0]
    # linear (out, in)
    kernel = joint.encoder.mean_layer.kernel.numpy()
    assert kernel[7, 3] == arrays["encoder.mean_layer.weight"][3, 7]
    # transposed convolution: (in, out, kh, kw) there, (kh, kw, out, in) here
    kernel = joint.decoder.deconvolutions[2].kernel.numpy()
    assert kernel[1, 2, 5, 9] == arrays["decoder.deconv3.weight_orig"][9, 5, 1, 2]
    # u has one axis more here
    u = joint.decoder.linear.u.numpy()
    assert u[0, 4] == arrays["decoder.linear.weight_u"][4]


def test_stacks_by_hand(joint):
    """linear1, 3, 5, 7 are the branches' first layers, linear2, 4, 6, 8 the second."""
    arrays = random_arrays(joint)
    authors_layout.assign(joint, arrays)
    mlp = joint.discriminator.embeddings["y0"]
    for branch in range(4):
        for stack, number in (
            (mlp.first, 2 * branch + 1),
            (mlp.second, 2 * branch + 2),
        ):
            key = f"d_z0.z_mlp.linear{number}"
            np.testing.assert_array_equal(
                stack.kernel[branch], arrays[f"{key}.weight_orig"].T
            )
            np.testing.assert_array_equal(stack.bias[branch], arrays[f"{key}.bias"])
            np.testing.assert_array_equal(stack.u[branch, 0], arrays[f"{key}.weight_u"])


def test_the_label_layer_is_split_in_the_order_of_the_tasks(joint):
    arrays = random_arrays(joint)
    authors_layout.assign(joint, arrays)
    classes, values = joint.encoder.heads
    whole = arrays["encoder.c_layer.weight"]
    assert whole.shape == (3 + 2, 64)
    np.testing.assert_array_equal(classes.kernel, whole[:3].T)
    np.testing.assert_array_equal(values.kernel, whole[3:].T)
    np.testing.assert_array_equal(values.bias, arrays["encoder.c_layer.bias"][3:])


@pytest.mark.parametrize("size", (32, 64, 96))
def test_flattening_is_permuted(tiny_config, make_method, size):
    """(C, H, W) there and (H, W, C) here: both must multiply the same feature map."""
    method = make_method(tiny_config(method="vgg_all", image_size=size))
    arrays = random_arrays(method)
    authors_layout.assign(method, arrays)
    side = size // 32
    feature_map = np.random.default_rng(1).normal(size=(side, side, 64))
    ours = feature_map.reshape(-1) @ method.encoder.embedding[0].kernel.numpy()
    channels_first = np.array(
        [
            feature_map[row, column, channel]
            for channel in range(64)
            for row in range(side)
            for column in range(side)
        ]
    )
    theirs = arrays["encoder.embedding.0.weight"] @ channels_first
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    back = authors_layout.to_arrays(method)["encoder.embedding.0.weight"]
    np.testing.assert_array_equal(back, arrays["encoder.embedding.0.weight"])


def test_only_the_nets_asked_for_change(joint, snapshot):
    state = snapshot(joint)
    authors_layout.assign(joint, random_arrays(joint), nets=("d_joint", "encoder"))
    ours = {
        v.ref()
        for p in authors_layout.parameters(joint)
        for v in p.variables
        if p.name.startswith(("d_joint.", "encoder."))
    }
    assert state.changed(trained_only=False) == ours


def test_a_missing_parameter_is_named(joint):
    arrays = random_arrays(joint)
    del arrays["d_va.z_mlp.linear3.bias"]
    with pytest.raises(UserError, match=r"no 'd_va\.z_mlp\.linear3\.bias'"):
        authors_layout.assign(joint, arrays)


def test_what_is_not_trained_may_be_missing(joint):
    arrays = random_arrays(joint)
    del arrays["decoder.bn1.0.running_mean"], arrays["decoder.linear.weight_u"]
    before = joint.decoder.linear.u.numpy()
    authors_layout.assign(joint, arrays)
    np.testing.assert_array_equal(joint.decoder.linear.u, before)


def test_another_shape_is_named(joint):
    arrays = random_arrays(joint)
    arrays["encoder.logvar_layer.bias"] = np.zeros(9)
    with pytest.raises(
        UserError,
        match=r"encoder\.logvar_layer\.bias has shape \(9,\), expected \(8,\)",
    ):
        authors_layout.assign(joint, arrays)


def test_arrays_of_other_nets_are_ignored(joint):
    arrays = {**random_arrays(joint), "d_y9.score_z.bias": np.zeros(1)}
    authors_layout.assign(joint, arrays)


def test_a_method_without_discriminator(tiny_config, make_method):
    method = make_method(tiny_config(method="vgg_all"))
    names = authors_layout.to_arrays(method)
    assert {name.split(".")[0] for name in names} == {"encoder"}


def test_ablations_keep_the_names_of_what_they_have(tiny_config, make_method):
    method = make_method(tiny_config(method="without_gx"))
    arrays = random_arrays(method)
    assert {name.split(".")[0] for name in arrays} == {
        "encoder",
        "d_x",
        "d_z0",
        "d_y1",
        "d_va",
        "d_joint",
    }
    assert "d_x.score_x.weight_orig" not in arrays
    authors_layout.assign(method, arrays)


def test_count():
    arrays = {"a": np.zeros((2, 3)), "b": np.zeros(4), "c": np.float32(1)}
    assert authors_layout.count(arrays) == 11


class TestReadArrays:
    def test_npz(self, tmp_path):
        path = tmp_path / "weights.npz"
        np.savez(path, **{"encoder.a.weight": np.arange(6.0).reshape(2, 3)})
        found = authors_layout.read_arrays(path)
        assert list(found) == ["encoder.a.weight"]
        np.testing.assert_array_equal(found["encoder.a.weight"], [[0, 1, 2], [3, 4, 5]])
        assert authors_layout.read_arrays(str(path)).keys() == found.keys()

    def test_no_file(self, tmp_path):
        with pytest.raises(UserError, match=r"^No weights file at .*none\.npz$"):
            authors_layout.read_arrays(tmp_path / "none.npz")

    def test_another_kind(self, tmp_path):
        path = tmp_path / "weights.h5"
        path.write_bytes(b"x")
        with pytest.raises(UserError, match=r"weights\.h5 is neither \.npz nor \.pth"):
            authors_layout.read_arrays(path)

    def test_arrays_of_objects_are_not_unpickled(self, tmp_path):
        path = tmp_path / "weights.npz"
        np.savez(path, a=np.array([{"b": 1}], dtype=object))
        with pytest.raises(UserError, match="is not a readable .npz"):
            authors_layout.read_arrays(path)

    @pytest.mark.parametrize("content", ["text", "empty", "cut", "damaged", "npy"])
    def test_damaged_files(self, tmp_path, content):
        path = tmp_path / "weights.npz"
        np.savez_compressed(path, a=np.random.default_rng(0).normal(size=500))
        whole = path.read_bytes()
        if content == "npy":
            with path.open("wb") as file:
                np.save(file, np.zeros(3))
        else:
            start = zipfile.ZipFile(path).getinfo("a.npy").header_offset + 100
            broken = {
                "text": b"not weights",
                "empty": b"",
                "cut": whole[: len(whole) // 2],
                "damaged": whole[:start] + b"\0" * 50 + whole[start + 50 :],
            }
            path.write_bytes(broken[content])
        with pytest.raises(UserError, match=r"weights\.npz is not a readable \.npz"):
            authors_layout.read_arrays(path)

    def test_pth_without_torch(self, tmp_path, monkeypatch):
        path = tmp_path / "net.pth"
        path.write_bytes(b"x")
        original = builtins.__import__

        def without_torch(name, *args, **kwargs):
            if name == "torch":
                raise ImportError("No module named 'torch'")
            return original(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", without_torch)
        with pytest.raises(UserError) as error:
            authors_layout.read_arrays(path, "encoder")
        assert str(error.value) == f"Reading {path} needs torch; install it or use .npz"

    def test_pth_is_read_with_weights_only(self, tmp_path, monkeypatch):
        path = tmp_path / "net.pth"
        path.write_bytes(b"x")
        asked = {}

        class Tensor:
            def numpy(self):
                return np.ones(2)

        class FakeTorch:
            @staticmethod
            def load(file, **kwargs):
                asked.update(kwargs)
                return {"a.weight": Tensor()}

        monkeypatch.setitem(__import__("sys").modules, "torch", FakeTorch)
        found = authors_layout.read_arrays(path, "encoder")
        assert list(found) == ["encoder.a.weight"]
        assert asked == {"map_location": "cpu", "weights_only": True}
