"""What torch.save wrote is read without torch, and nothing of it is run."""

import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.torch_file import keras_kernel, read_state_dict, read_torch_file
from tests.torch_files import LEGACY_MAGIC, Tensor, write_archive, write_legacy

WRITERS = [write_legacy, write_archive]


@pytest.fixture(params=WRITERS, ids=["legacy", "archive"])
def saved(request, tmp_path):
    return lambda content: request.param(tmp_path / "weights.pth", content)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8"])
def test_tensors_come_back_as_they_were(saved, dtype):
    arrays = OrderedDict(
        kernel=np.arange(24).reshape(2, 3, 4).astype(dtype),
        scalar=np.array(7, dtype),
        empty=np.zeros((0, 3), dtype),
    )
    read = read_state_dict(saved(OrderedDict((name, Tensor(array)) for name, array in arrays.items())))
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
        assert not read[name].flags.writeable


def test_a_view_shows_its_part_of_the_storage(saved):
    storage = np.arange(20, dtype=np.float32)
    transposed = Tensor(storage, offset=4, shape=(4, 3), strides=(1, 4))
    np.testing.assert_array_equal(
        read_state_dict(saved({"w": transposed}))["w"], storage[4:16].reshape(3, 4).T
    )


def test_bfloat16_comes_as_float32(saved):
    values = np.array([1.0, -2.5, 3e38], np.float32)
    upper = (values.view(np.uint32) >> 16).astype(np.uint16)
    read = read_state_dict(saved({"w": Tensor(upper, "BFloat16Storage")}))["w"]
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, values, rtol=2**-7)


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_a_state_dict_is_found_in_a_checkpoint(saved, key):
    path = saved({"epoch": 3, "best": [0.5, ("a", None)], key: {"w": Tensor(np.ones(2, np.float32))}})
    assert list(read_state_dict(path)) == ["w"]
    content = read_torch_file(path)
    assert (content["epoch"], content["best"]) == (3, [0.5, ("a", None)])


def test_a_kernel_comes_in_keras_order_of_axes():
    kernel = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(keras_kernel(kernel), np.einsum("oihw->hwio", kernel))
    np.testing.assert_array_equal(keras_kernel(kernel[..., 0, 0]), kernel[..., 0, 0].T[None, None])
    depthwise = kernel[:, :1]
    np.testing.assert_array_equal(keras_kernel(depthwise, depthwise=True), np.einsum("cohw->hwco", depthwise))


class Command:
    """What a hostile file holds."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_file_cannot_run_anything(saved, tmp_path):
    victim = tmp_path / "victim"
    path = saved({"w": Command(victim)})
    with pytest.raises(UserError, match=r"weights.pth .*posix.system.*state_dict"):
        read_state_dict(path)
    assert not victim.exists()


@pytest.mark.parametrize(
    "view",
    [
        {"offset": 4},
        {"offset": -1},
        {"shape": (5,)},
        {"shape": (-1,)},
        {"strides": (2,)},
        {"strides": (-1,)},
        {"shape": (2, 2)},
    ],
)
def test_a_tensor_cannot_show_memory_outside_its_storage(saved, view):
    with pytest.raises(UserError, match=r"weights\.pth"):
        read_state_dict(saved({"w": Tensor(np.ones(4, np.float32), **view)}))


def test_a_cut_file_is_refused_in_one_line(saved):
    path = saved({"w": Tensor(np.ones(1000, np.float32))})
    whole = path.read_bytes()
    for length in (0, 3, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"weights\.pth") as error:
            read_state_dict(path)
        assert "\n" not in str(error.value)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no.pth does not exist"):
        read_torch_file(tmp_path / "no.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"w": 1}))
    with zipfile.ZipFile(tmp_path / "other.pth", "w") as archive:
        archive.writestr("a/b", "c")
    for name in ("plain.pth", "other.pth"):
        with pytest.raises(UserError, match=f"{name} can't be read"):
            read_torch_file(tmp_path / name)


@pytest.mark.parametrize("content", [{"epoch": 3}, [Tensor(np.ones(2, np.float32))]])
def test_a_file_without_named_tensors_is_refused(saved, content):
    with pytest.raises(UserError, match=r"weights.pth holds no state_dict"):
        read_state_dict(saved(content))


def test_numbers_that_numpy_does_not_know_are_refused_by_name(saved):
    with pytest.raises(UserError, match=r"weights.pth .*it holds a torch.QInt8Storage"):
        read_state_dict(saved({"w": Tensor(np.ones(2, np.uint8), "QInt8Storage")}))


@pytest.mark.parametrize(
    ("magic", "little_endian", "message"),
    [(7, True, "does not begin as one"), (LEGACY_MAGIC, False, "big-endian")],
)
def test_a_legacy_file_says_what_it_is_first(tmp_path, magic, little_endian, message):
    with (tmp_path / "weights.pth").open("wb") as file:
        for part in (magic, 1001, {"little_endian": little_endian}, {}, []):
            pickle.dump(part, file)
    with pytest.raises(UserError, match=message):
        read_torch_file(tmp_path / "weights.pth")


def test_storages_of_the_other_byte_order_are_refused(tmp_path):
    path = write_archive(tmp_path / "weights.pth", {"w": Tensor(np.ones(2, np.float32))})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, b"big" if name.endswith("byteorder") else data)
    with pytest.raises(UserError, match="big-endian"):
        read_torch_file(path)
