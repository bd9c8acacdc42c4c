#!/bin/sh
# 10,000 requests to one server, eight at a time: every one answered, memory
# flat. Usage: scripts/runtime_soak.sh [REQUESTS]; needs cargo, curl and /proc.
set -eu
total=${1:-10000}
cd "$(dirname "$0")/.."
cargo build --release --bin cargo-evenhand
log=$(mktemp)
target=${CARGO_TARGET_DIR:-target}
"$target/release/cargo-evenhand" serve --preset tiny --port 0 >"$log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
url=
for _ in $(seq 300); do
    url=$(sed -n 's/^listening on //p' "$log")
    [ -n "$url" ] && break
    sleep 0.1
done
[ -n "$url" ] || { echo "the server does not start" >&2; exit 1; }

answered() {
    curl -s "$url/metrics" |
        awk '/^evenhand_requests_total\{outcome="(length|stop)"\}/ { n += $2 } END { print n + 0 }'
}
resident() { awk '/^VmRSS:/ { print $2 }' "/proc/$server/status"; }
body='{"model": "tiny", "prompt": "The order of the arms", "max_tokens": 8}'
send() {
    seq "$1" | xargs -P 8 -n 50 sh -c '
        url=$1; body=$2; shift 2
        for _ in "$@"; do
            echo "url = \"$url/v1/completions\""
            echo "output = \"/dev/null\""
        done | curl -s --fail -H "content-type: application/json" -d "$body" -K -
    ' sh "$url" "$body"
}

send 1000
early=$(resident)
send $((total - 1000))
late=$(resident)
n=$(answered)
echo "answered $n of $total; resident $early KiB after 1000, $late KiB at the end"
[ "$n" -eq "$total" ] || { echo "requests were lost" >&2; exit 1; }
[ "$late" -le $((early + 8192)) ] || { echo "memory grew" >&2; exit 1; }
kill -TERM "$server"
wait "$server" || { echo "the server did not end well" >&2; exit 1; }
