#!/usr/bin/env bash
# Lints and runs every test, in .venv, which it makes when it is missing. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/venv.sh "[dev]"
ruff check .
# File by file, for modules share slow fixtures; most of a test's time goes to processes that it starts and waits for.
python -m pytest -n auto --maxprocesses=4 --dist=loadfile "$@"
