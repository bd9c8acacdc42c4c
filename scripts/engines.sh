#!/bin/bash
# A real engine beside the embedded runtime, on the same weights and one thread, through `cargo evenhand load`.
#   scripts/engines.sh llama.cpp    [OPTION OF LOAD...]     fetched from Debian, about 100 MB
#   scripts/engines.sh transformers [OPTION OF LOAD...]     fetched from PyPI, about 3 GB
# For example: scripts/engines.sh llama.cpp --mode cold --workers 8
# The engines and the records stay in target/.
set -euo pipefail
cd "$(dirname "$0")/.."
usage() { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 1 ] || usage
engine=$1
shift
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
cargo build --quiet --release --package evenhand --bin cargo-evenhand
evenhand=$target/release/cargo-evenhand
work=$target/engines
mkdir -p "$work"
"$evenhand" export-model "$work/tiny" --preset tiny >&2

cat > "$work/evenhand.toml" <<TOML
[target]
name = "evenhand"
engine = "evenhand"
command = "$evenhand"
args = ["serve", "--preset", "tiny", "--port", "{port}"]
page_cache = "warm"
TOML
case $engine in
llama.cpp)
  [ -d "$work/llama/root" ] || scripts/llama_cpp/fetch.sh get "$work/llama" >&2
  cat > "$work/$engine.toml" <<TOML
[target]
name = "llama.cpp"
engine = "llama.cpp"
command = "$root/scripts/llama_cpp/fetch.sh"
args = ["serve", "$work/llama", "$work/tiny/model.gguf", "{port}", "-t", "1", "-tb", "1", "-np", "1", "--no-webui"]
prefix_cache = false
page_cache = "warm"
TOML
  ;;
transformers)
  [ -x "$work/transformers/bin/transformers" ] || scripts/transformers/serve.sh get "$work/transformers" >&2
  cat > "$work/$engine.toml" <<TOML
[target]
name = "transformers"
engine = "transformers-serve"
command = "$root/scripts/transformers/serve.sh"
args = ["serve", "$work/transformers", "$work/tiny", "{port}"]
env = { OMP_NUM_THREADS = "1" }
model = "$work/tiny"
page_cache = "warm"
TOML
  ;;
*) usage ;;
esac
exec "$evenhand" load --target "$work/$engine.toml" --against "$work/evenhand.toml" "$@"
