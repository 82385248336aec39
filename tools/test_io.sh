#!/usr/bin/env bash
# Tests records in a bucket: makes .venv-io with the [io] extra (TensorFlow 2.16) and moto's S3 server when it is
# missing, and runs tests/records/test_s3.py from .venv against it.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/venv.sh "[dev]"
if [ ! -e .venv-io/installed ]; then
  "${IO_PYTHON:-python3}" -m venv .venv-io   # 3.10 to 3.12: tensorflow-io has no wheels for newer ones
  .venv-io/bin/python -m pip install --quiet --disable-pip-version-check -e '.[io]' 'moto[server]>=5'
  touch .venv-io/installed
fi
DEEPFAKE_TFDATA_IO_PYTHON="$PWD/.venv-io/bin/python" python -m pytest tests/records/test_s3.py "$@"
