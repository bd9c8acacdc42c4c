#!/bin/bash
# llama.cpp from Debian's unstable packages, unpacked into a folder of your own: nothing is installed, no root,
# and the system's libraries stay as they are (the packages' own loader runs the program).
#   fetch.sh get DIR                           download and unpack, about 100 MB
#   fetch.sh serve DIR MODEL.gguf PORT [...]   llama-server on 127.0.0.1, further arguments are passed on
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
command=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
shift 2
lib=$dir/root/usr/lib/x86_64-linux-gnu
run() { "$lib/ld-linux-x86-64.so.2" --library-path "$lib:$lib/llama" "$dir/root/usr/bin/llama-server" "$@"; }
case $command in
get)
  mkdir -p "$dir"/lists/partial "$dir"/cache/archives/partial "$dir"/deb "$dir"/root
  # The mirror that this machine uses, asked for another suite.
  mirror=$(grep -rhE '^(URIs:|deb )' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -oE 'https?://[^ ]+/debian(/| |$)' | tr -d ' ' | head -n 1 || true)
  mirror=${mirror:-https://deb.debian.org/debian}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror%/} sid main" > "$dir/sources.list"
  options=(-o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$dir/lists"
    -o "Dir::Cache=$dir/cache" -o "APT::Sandbox::User=$(id -un)" -qq)
  apt-get "${options[@]}" update
  packages=(llama.cpp-tools libllama0 libggml0 libc6 libgcc-s1 libgomp1 libssl3t64 libstdc++6 libzstd1 zlib1g)
  (cd "$dir/deb" && apt-get "${options[@]}" download "${packages[@]/%//sid}")
  for package in "$dir"/deb/*.deb; do dpkg -x "$package" "$dir/root"; done
  run --version
  ;;
serve)
  model=$1 port=$2
  shift 2
  # The packaged libggml looks for its CPU back ends below /usr only: name one.
  flags=$(grep -m1 ^flags /proc/cpuinfo)
  case $flags in
  *avx512_bf16*) cpu=zen4 ;; *avx512_vnni*) cpu=icelake ;; *avx512bw*) cpu=skylakex ;; *avx2*) cpu=haswell ;; *) cpu=x64 ;;
  esac
  export GGML_BACKEND_PATH=$lib/ggml/backends0/libggml-cpu-$cpu.so
  exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib:$lib/llama" "$dir/root/usr/bin/llama-server" \
    -m "$model" --host 127.0.0.1 --port "$port" "$@"
  ;;
*) echo "fetch.sh get|serve DIR ..." >&2; exit 2 ;;
esac
