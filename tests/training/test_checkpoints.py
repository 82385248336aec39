from pathlib import Path

import keras
import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.training.checkpoints import list_checkpoints, newest_checkpoint, restore, save_checkpoint


def variables(*shapes):
    random = np.random.default_rng(len(shapes))
    return {f"v{i}": keras.Variable(random.normal(size=shape)) for i, shape in enumerate(shapes)}


def test_restores_every_value_and_the_progress(tmp_path):
    saved, fresh = variables((3, 2), (), (5,)), variables((3, 2), (), (5,))
    for variable in fresh.values():
        variable.assign(variable * 0)
    save_checkpoint(tmp_path, 1, saved, {"best": [0.5, -1.0]})
    checkpoint = newest_checkpoint(tmp_path)
    restore(checkpoint, fresh)
    assert checkpoint.state == {"best": [0.5, -1.0]}
    for name, variable in saved.items():
        np.testing.assert_array_equal(fresh[name], variable)


def test_keeps_the_newest_three(tmp_path):
    for epoch in range(1, 12):
        save_checkpoint(tmp_path, epoch, variables((2,)), {})
    assert [path.name for path in list_checkpoints(tmp_path)] == [f"step-{e:09d}.npz" for e in (9, 10, 11)]


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty"])
def test_a_damaged_one_falls_back_to_the_one_before_and_says_so(tmp_path, damage, caplog):
    for step in (1, 2):
        save_checkpoint(tmp_path, step, variables((200,)), {"step": step})
    path = tmp_path / "step-000000002.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes({"truncate": content[: len(content) // 2], "flip": content, "empty": b""}[damage])
    assert newest_checkpoint(tmp_path).state == {"step": 1}
    assert "step-000000002.npz is damaged" in caplog.text
    (tmp_path / "step-000000001.npz").write_bytes(b"")
    with pytest.raises(UserError, match="all checkpoints"):
        newest_checkpoint(tmp_path)


def test_none_is_none(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    (tmp_path / "step-1.npz.part").touch()
    (tmp_path / "notes.npz").touch()
    assert newest_checkpoint(tmp_path) is None


class Command:
    """What a hostile file holds."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_checkpoint_runs_nothing(tmp_path):
    np.savez(tmp_path / "step-000000001.npz", v0=np.array([Command(tmp_path / "victim")]), state="{}")
    with pytest.raises(UserError, match="damaged"):
        newest_checkpoint(tmp_path)
    assert not (tmp_path / "victim").exists()


def test_another_models_is_refused(tmp_path):
    save_checkpoint(tmp_path, 1, variables((3, 2)), {})
    with pytest.raises(
        UserError, match=r"of another model \(v0 is of shape \[3, 2\] there, of shape \[2, 3\]"
    ):
        restore(newest_checkpoint(tmp_path), variables((2, 3)))
