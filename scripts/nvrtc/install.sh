#!/usr/bin/env bash
# Installs NVIDIA's run-time compiler and the headers of its bf16 type from
# PyPI: enough to compile every kernel on a machine without a GPU.
#
#   export EVENHAND_CUDA_WHEELS="$(scripts/nvrtc/install.sh)"
#
# Prints the folder to export on stdout, everything else on stderr. The wheels
# (about 200 MB unpacked) are NVIDIA's, under its own licence, and stay outside
# git. An argument names another place for them than target/nvrtc.
set -euo pipefail
cd "$(dirname "$0")/../.."

# No newer than the driver: it refuses what a newer compiler makes.
nvrtc=nvidia-cuda-nvrtc==13.0.88
runtime=nvidia-cuda-runtime==13.0.96

venv=${1:-target/nvrtc}
installed="$venv/installed"
if [ "$(cat "$installed" 2>/dev/null)" != "$nvrtc $runtime" ]; then
    python3 -m venv "$venv" >&2
    # No compile to bytecode and no cache: the wheels hold libraries and headers.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --no-deps --no-compile "$nvrtc" "$runtime" >&2
    echo "$nvrtc $runtime" >"$installed"
fi
wheels=$(echo "$(cd "$venv" && pwd)"/lib/python3*/site-packages/nvidia/cu13)
[ -e "$wheels/lib/libnvrtc.so.13" ] || { echo "no libnvrtc.so.13 under $wheels" >&2; exit 1; }
echo "$wheels"
