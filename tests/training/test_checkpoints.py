import keras
import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.training.checkpoints import list_checkpoints, load_checkpoint, restore, save_checkpoint


def variables(*shapes):
    random = np.random.default_rng(len(shapes))
    return [keras.Variable(random.normal(size=shape)) for shape in shapes]


def test_restores_every_value_and_the_progress(tmp_path):
    saved, fresh = variables((3, 2), (), (5,)), variables((3, 2), (), (5,))
    for variable in fresh:
        variable.assign(variable * 0)
    save_checkpoint(tmp_path, 1, saved, {"best": [0.5, -1.0]})
    checkpoint = load_checkpoint(tmp_path / "epoch-00001.npz")
    restore(checkpoint, fresh, tmp_path)
    assert checkpoint.progress == {"best": [0.5, -1.0]}
    for a, b in zip(saved, fresh, strict=True):
        np.testing.assert_array_equal(a, b)


def test_keeps_the_newest_three(tmp_path):
    for epoch in range(1, 12):
        save_checkpoint(tmp_path, epoch, variables((2,)), {})
    assert [path.name for path in list_checkpoints(tmp_path)] == [
        f"epoch-000{e:02d}.npz" for e in (9, 10, 11)
    ]


@pytest.mark.parametrize("damage", ["truncate", "flip"])
def test_a_damaged_one_is_refused(tmp_path, damage):
    save_checkpoint(tmp_path, 1, variables((200,)), {})
    path = tmp_path / "epoch-00001.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content[: len(content) // 2] if damage == "truncate" else content)
    with pytest.raises(UserError, match="is damaged"):
        load_checkpoint(path)


def test_another_models_is_refused(tmp_path):
    save_checkpoint(tmp_path, 1, variables((3, 2)), {})
    with pytest.raises(UserError, match="of another model"):
        restore(load_checkpoint(tmp_path / "epoch-00001.npz"), variables((2, 3)), tmp_path)
