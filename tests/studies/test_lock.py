import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.studies.lock import alone


def test_a_second_study_is_kept_out_until_the_first_ends(tmp_path):
    folder = tmp_path / "study"
    # Locks are of open files, not of processes: a second one is as strange as that of another process.
    busy = pytest.raises(UserError, match=r"another process conducts the study in .*; wait until it ends")
    with alone(folder), busy, alone(folder):
        pass
    with alone(folder):
        pass
