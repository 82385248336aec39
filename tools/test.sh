#!/usr/bin/env bash
# Lints, checks the types and runs every test, in .venv, which it makes when it is missing: 18 minutes on two slow
# cores. With --quick, only the tests that are not marked slow. Further arguments go to pytest.
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
# File by file, for modules share slow fixtures, and in the order of tests/conftest.py: the slowest files first.
python -m pytest -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder "${chosen[@]}" "$@"
