#!/usr/bin/env bash
# Tests the Beam runner: makes .venv-beam with the [beam] extra and Dask when it is missing, and runs
# the tests of it from .venv against it, on Beam's own runner and on a Dask cluster of this machine. Without
# constraints.txt: Beam takes an older protobuf than the tested one.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/venv.sh "[dev]"
if [ ! -e .venv-beam/installed ]; then
  "${PYTHON:-python3}" -m venv .venv-beam
  .venv-beam/bin/python -m pip install --quiet --disable-pip-version-check -e '.[beam]' 'dask[distributed]'
  touch .venv-beam/installed
fi
DEEPFAKE_TFDATA_BEAM_PYTHON="$PWD/.venv-beam/bin/python" python -m pytest \
  tests/records/test_beam.py tests/verdicts/test_beam.py "$@"
