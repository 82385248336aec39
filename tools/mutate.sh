#!/usr/bin/env bash
# Plants one small fault after another in a module (cosmic-ray) and lists those that its tests do not notice:
#   bash tools/mutate.sh deepfake_tfdata/clips/regions.py tests/clips/test_regions.py
# What follows the module goes to pytest. It works on a copy in .venv-mutate, and reuses .venv for the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
module="${1:?names no module; see the first lines of this file}"
shift
source tools/venv.sh "[dev]"
work=.venv-mutate/copy
[ -x .venv-mutate/bin/cosmic-ray ] || {
  python -m venv .venv-mutate
  .venv-mutate/bin/python -m pip install --quiet --disable-pip-version-check cosmic-ray
}
rm -rf "$work" && mkdir "$work"
git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$work"
cat > "$work/mutate.toml" <<END
[cosmic-ray]
module-path = "$module"
timeout = 300.0
excluded-modules = []
test-command = "$(command -v python) -m pytest -x -q -p no:cacheprovider $*"
[cosmic-ray.distributor]
name = "local"
# Of each operator one other is enough, and types are no arithmetic.
[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_(?!(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Div|Mod_FloorDiv)$)"]
END
cosmic_ray="$PWD/.venv-mutate/bin"
cd "$work"
"$cosmic_ray/cosmic-ray" baseline mutate.toml
"$cosmic_ray/cosmic-ray" init mutate.toml mutate.sqlite
"$cosmic_ray/cr-filter-operators" mutate.sqlite mutate.toml
"$cosmic_ray/cosmic-ray" exec mutate.toml mutate.sqlite
"$cosmic_ray/cr-report" --surviving-only --show-diff mutate.sqlite
