#!/bin/bash
# `transformers serve` from PyPI in an environment of its own, on the CPU, without a model hub.
#   serve.sh get DIR                      make the environment, about 3 GB to download and 5.6 GB on disk
#   serve.sh serve DIR MODEL PORT [...]   serve the folder MODEL on 127.0.0.1, further arguments are passed on
# Requests name MODEL as it is given here.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
command=$1 dir=$2
shift 2
case $command in
get)
  python3 -m venv "$dir"
  # PyPI has the CUDA build of torch alone; it computes on the CPU where there is no card.
  "$dir/bin/pip" install --quiet torch==2.15.0 'transformers[serving]==5.23.0'
  "$dir/bin/transformers" version
  ;;
serve)
  [ $# -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
  model=$1 port=$2
  shift 2
  export HF_HUB_OFFLINE=1 DO_NOT_TRACK=1 HF_HOME=${HF_HOME:-$dir/hub}
  exec "$dir/bin/transformers" serve "$model" --host 127.0.0.1 --port "$port" --device cpu "$@"
  ;;
*) echo "$0: \`$command\` is not known; give get or serve" >&2; exit 2 ;;
esac
