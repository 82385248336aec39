#!/usr/bin/env bash
# From nothing to a report: makes a synthetic FaceForensics++, converts it, trains two detectors, compares them on test.
# Usage: bash tools/demo.sh [dilution|null]
# `dilution` plants stripes in the mouths of the fakes that a resized full face loses; `null` plants nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
preset="${1:-dilution}"
source tools/venv.sh ""
demo="demo/$preset"
start=$SECONDS

# 64 pixels instead of 224 so that a small network learns on two cores in a minute.
python -m tools.synthetic --output="$demo/videos" --preset="$preset"
python -m deepfake_tfdata.convert --source="$demo/videos" --output="$demo/records" --num_frames=16 --frame_size=64
for run in full_control mouth_attention; do
  python -m deepfake_tfdata.train --data="$demo/records" --region="${run%_*}" --head="${run#*_}" \
    --workdir="$demo/$run" --backbone=meso4 --weights=none --batch_size=8 --epochs=15 --learning_rate=1.4e-3
  python -m deepfake_tfdata.evaluate --workdir="$demo/$run" --split=test
done
echo
python -m deepfake_tfdata.compare --first="$demo/mouth_attention/evaluation/test" \
  --second="$demo/full_control/evaluation/test" --output="$demo/comparison.json"
echo "done in $((SECONDS - start)) s; the page of each run is $demo/RUN/evaluation/test/report.html"
