#!/usr/bin/env bash
# Lints, checks the types and runs every test, in .venv, which it makes when it is missing: 13 minutes on two cores,
# and twice that on slow ones. With --quick, only the tests that are not marked slow. Further arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/venv.sh "[dev]"
chosen=()
if [[ "${1:-}" == --quick ]]; then
    shift
    chosen=(-m "not slow")
fi
ruff check .
mypy
# File by file, for modules share slow fixtures, and in the order of tests/conftest.py: the slowest files first. One
# process more than there are cores, up to four: tests wait for the processes that they start.
processes="$(python -c 'from deepfake_tfdata.cores import available_cores; print(min(4, available_cores() + 1))')"
python -m pytest -n "$processes" --dist=loadfile --no-loadscope-reorder "${chosen[@]}" "$@"
