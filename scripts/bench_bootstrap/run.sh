#!/usr/bin/env bash
# Times evenhand-bootstrap against scipy.stats.bootstrap and against the
# resampling inside criterion. Needs cargo, python3 with venv, and PyPI.
#
#   scripts/bench_bootstrap/run.sh [rounds]     (default 3, one to two minutes)
set -euo pipefail
cd "$(dirname "$0")/../.."

target="${CARGO_TARGET_DIR:-target}"
venv="$target/bench-bootstrap-venv"
cargo build --release -p evenhand-bootstrap --example resample_times --example criterion_resampling
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check scipy
# One thread on both sides.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
"$venv/bin/python" scripts/bench_bootstrap/compare.py "$target/release/examples" "${1:-3}"
