# Sourced by demo.sh and test.sh: makes or reuses .venv, installs the package with EXTRA, activates it.
# Usage: source tools/venv.sh EXTRA        (EXTRA is "" or a list in brackets, such as "[dev]")
PYTHON="${PYTHON:-python3}"
if [ ! -x .venv/bin/pip ]; then
  "$PYTHON" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || {
    echo "deepfake_tfdata needs Python 3.10 to 3.13, and $PYTHON is another; set PYTHON=/path/to/python3.11" >&2
    exit 2
  }
  "$PYTHON" -m venv .venv
fi
# The stamp spares pip's half minute when nothing that decides the installation has changed.
stamp=".venv/installed-$(cat pyproject.toml tools/constraints.txt <(echo "$1") | cksum | cut -d' ' -f1)"
if [ ! -e "$stamp" ]; then
  echo "installing deepfake_tfdata$1 into .venv (a few minutes the first time)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt -e ".$1"
  touch "$stamp"
fi
source .venv/bin/activate
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"
