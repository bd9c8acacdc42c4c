#!/usr/bin/env bash
# llama.cpp, fetched from Debian, answers the prompts of the golden file on the weights that we export: its
# token ids must still be those of the file, which the tests hold our own decoder to.
#   scripts/llama_cpp/check.sh [DIR]           DIR keeps the packages (default target/llama)
# Exit codes: 0 equal, 1 different, 3 the packages can't be had here (the reason stands above).
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=${1:-target/llama}
if ! scripts/llama_cpp/fetch.sh get "$dir" >&2; then
    exit 3
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo run --quiet --release --package evenhand --bin cargo-evenhand -- evenhand \
    export-model "$work/tiny" --preset tiny >&2
python3 scripts/llama_cpp/compare.py "$dir" "$work/tiny" "$work/greedy.json" >&2
python3 - "$work/greedy.json" tests/data/runtime/greedy_tiny.json <<'PYTHON'
import json
import sys

now, kept = (json.load(open(path)) for path in sys.argv[1:])
if now["model_sha256"] != kept["model_sha256"]:
    sys.exit("the exported weights are not those of the golden file")
pairs = list(zip(now["cases"], kept["cases"], strict=True))
different = sum(a["prompt"] != b["prompt"] or a["answer"] != b["answer"] for a, b in pairs)
print(f"{len(pairs) - different} of {len(pairs)} answers of llama.cpp ({now['llama_cpp']}) are those of the golden file")
sys.exit(different > 0)
PYTHON
