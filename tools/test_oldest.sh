#!/usr/bin/env bash
# Runs the quick tests against the lowest versions that pyproject.toml allows: makes .venv-oldest when it is missing.
# What only the tests need (pytest and the like) is taken as new as goes with them; JAX, which does not go with them,
# is left out, and its tests skip.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${OLDEST_PYTHON:-python3}"   # 3.10 to 3.12: the oldest TensorFlow has no wheels for newer ones
lowest=.venv-oldest/lowest.txt
if [ ! -e .venv-oldest/installed ]; then
  "$python" -m venv .venv-oldest
  # "name>=1.2,<3" becomes "name==1.2"
  sed -n '/^dependencies/,/^]/s/^ *"\([A-Za-z0-9-]*\)>=\([0-9.]*\).*/\1==\2/p' pyproject.toml > "$lowest"
  .venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check -c "$lowest" -e . \
    pytest pytest-timeout pytest-xdist hypothesis scikit-image
  touch .venv-oldest/installed
fi
source .venv-oldest/bin/activate
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"
echo "oldest: $(python --version), $(paste -sd' ' "$lowest")"
python -m pytest -n auto --maxprocesses=4 -m "not slow" "$@"
