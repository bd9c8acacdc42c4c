#!/bin/bash
# Our client and aiperf on the same null server: error of the mean time to first token at several
# numbers of streams.       scripts/clients/compare.sh DIR [STREAMS...]
# DIR takes a Python venv with aiperf from PyPI (1.2 GB) and the results. SKIP_AIPERF=1 runs ours alone.
set -euo pipefail
[ $# -ge 1 ] || { sed -n 2,4p "$0" >&2; exit 2; }
mkdir -p "$1"; dir=$(cd "$1" && pwd); shift
[ $# -gt 0 ] || set -- 10 100 1000
cd "$(dirname "$0")/../.."
ulimit -n "$(ulimit -Hn)"

cargo build --release --bin cargo-evenhand
evenhand="$(pwd)/target/release/cargo-evenhand"
first=100 tokens=32 # ms to the first token and from each to the next: an answer takes 3.3 s

for n in "$@"; do
  # The proof runs at twice the rate it is given; at n / 3.3 requests a second n streams are open.
  rate=$(awk "BEGIN { print $n / 6.6 }")
  "$evenhand" null-server --prove "$rate" --streams "$n" --requests $((2 * n)) --tokens $tokens --format json \
    > "$dir/evenhand-$n.json"
  python3 - "$dir/evenhand-$n.json" "$n" <<'PY'
import json, sys
e = json.load(open(sys.argv[1]))[0]
print(f"evenhand {sys.argv[2]:>5} streams: ttft error mean {e['ttft_error_mean_ns'] / 1e6:.3f} ms, "
      f"event error p50 {e['p50_ns'] / 1e3:.0f} us, p99 {e['p99_ns'] / 1e3:.0f} us, failed {e['failed']}")
PY
done
[ -z "${SKIP_AIPERF:-}" ] || exit 0

[ -x "$dir/venv/bin/aiperf" ] || { python3 -m venv "$dir/venv"; "$dir/venv/bin/pip" -q install aiperf==0.13.0; }
# aiperf wants a tokenizer from a hub's cache: one word, one token.
snapshot="$dir/hf/hub/models--local--null/snapshots/0000000000000000000000000000000000000000"
mkdir -p "$snapshot" "$dir/hf/hub/models--local--null/refs"
printf 0000000000000000000000000000000000000000 > "$dir/hf/hub/models--local--null/refs/main"
"$dir/venv/bin/python" - "$snapshot" <<'PY'
import sys
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
words = {w: i for i, w in enumerate(["[UNK]", "</s>"] + [f"w{i}" for i in range(4096)])}
tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="</s>").save_pretrained(sys.argv[1])
open(sys.argv[1] + "/config.json", "w").write('{"model_type": "llama"}') # or the hub is asked for it
PY

"$evenhand" null-server --listen 127.0.0.1:0 --first-ms $first --gap-ms $first --tokens $tokens > "$dir/address" &
server=$!
trap 'kill $server' EXIT
until [ -s "$dir/address" ]; do sleep 0.1; done
for n in "$@"; do
  out="$dir/aiperf-$n"; rm -rf "$out"
  HF_HUB_OFFLINE=1 HF_HOME="$dir/hf" timeout "${AIPERF_LIMIT:-240}" "$dir/venv/bin/aiperf" profile --model local/null --tokenizer local/null \
    --url "$(cat "$dir/address")" --endpoint-type chat --streaming --concurrency "$n" --request-count $((2 * n)) \
    --synthetic-input-tokens-mean 8 --output-artifact-dir "$out" --ui none > "$dir/aiperf-$n.log" 2>&1 \
    || { echo "aiperf   $n streams: no result (rc $?), see $dir/aiperf-$n.log"; continue; }
  python3 - "$(find "$out" -name 'profile_export_aiperf.json' | head -n 1)" "$n" $first <<'PY'
import json, sys
r = json.load(open(sys.argv[1])); t = r["time_to_first_token"]
print(f"aiperf   {sys.argv[2]:>5} streams: ttft mean {t['avg']:.3f} ms, that is {t['avg'] - float(sys.argv[3]):+.3f} ms "
      f"beside the script, requests {r['request_count']['avg']:.0f}")
PY
done
