#!/usr/bin/env bash
# From nothing to a verdict: makes a synthetic FaceForensics++, converts and audits it, trains detectors, compares two,
# explains one, and judges a fake and its original.
# Usage: bash tools/demo.sh [dilution|null|pretrained]
# `dilution` plants stripes in the mouths of the fakes that a resized full face loses; `null` plants nothing.
# `pretrained` shows those mouths to a frozen network, with ImageNet's weights and with random ones.
set -euo pipefail
cd "$(dirname "$0")/.."
preset="${1:-dilution}"
source tools/venv.sh "$([[ $preset != pretrained ]] || echo "[pretrained]")"
demo="demo/$preset"
start=$SECONDS

train_and_score() {  # RUN FLAGS
  python -m deepfake_tfdata.train --data="$demo/records" --workdir="$demo/$1" "${@:2}"
  python -m deepfake_tfdata.evaluate --workdir="$demo/$1" --split=test
}

# 64 pixels instead of 224, and small batches, so that a small network learns on two cores in a minute.
small=(--backbone=meso4 --weights=none --augment=flip --batch_size=4 --epochs=12 --learning_rate=1e-3)
# Half of val is set aside for calibration: 20 pairs are what a p value of .05 needs.
python -m tools.synthetic --output="$demo/videos" --preset="${preset/pretrained/dilution}" --identities=176 --val_pairs=40
python -m deepfake_tfdata.convert --source="$demo/videos" --output="$demo/records" --num_frames=16 --frame_size=64
python -m deepfake_tfdata.audit --source="$demo/videos" --data="$demo/records" --output="$demo/audit"
if [[ $preset == pretrained ]]; then
  first=imagenet second=none judge=imagenet
  for weights in imagenet none; do
    # The size that the network learned ImageNet at: a mouth of 64 pixels is enlarged.
    train_and_score "$weights" --region=mouth --backbone=efficientnet_lite0 --weights="$weights" --frame_size=224 \
      --batch_size=8 --epochs=15 --freeze_epochs=15 --cache_features --augment=none --learning_rate=1e-3
  done
else
  first=mouth_attention second=full_control judge=mouth_view
  train_and_score full_control --region=full --head=control "${small[@]}"
  train_and_score mouth_attention --region=mouth --head=attention "${small[@]}"
  # Large enough for a map that can point somewhere: does it point at the mouth?
  train_and_score mouth_view --region=full --view=mouth --frame_size=128 --head=attention "${small[@]}"
  python -m deepfake_tfdata.explain --workdir="$demo/mouth_view" --split=test --truth="$demo/videos/ground_truth.json"
fi
echo
python -m deepfake_tfdata.compare --first="$demo/$first/evaluation/test" \
  --second="$demo/$second/evaluation/test" --output="$demo/comparison.json"
# A verdict on the first fake of the test split, and on its original.
read -r target source < <(grep -o '[0-9]\+' "$demo/videos/splits/test.json" | head -2 | xargs)
python -m deepfake_tfdata.predict --workdir="$demo/$judge" --output="$demo/verdicts" \
  --video="$demo/videos/manipulated_sequences/Face2Face/c23/videos/${target}_$source.mp4,$demo/videos/original_sequences/youtube/c23/videos/$target.mp4"
echo "done in $((SECONDS - start)) s; the page of each run is $demo/RUN/evaluation/test/report.html, of the verdicts $demo/verdicts/index.html"
