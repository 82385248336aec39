#!/usr/bin/env bash
# Lints and runs every test, in .venv, which it makes when it is missing. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/venv.sh "[dev]"
ruff check .
python -m pytest "$@"
