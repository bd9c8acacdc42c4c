#!/usr/bin/env python3
"""Speed of our decoder and of llama.cpp on the same model, one thread each, taken in turns.

  cargo evenhand export-model target/tiny --preset tiny
  scripts/llama_cpp/fetch.sh get target/llama
  cargo build --release --example decode_speed
  scripts/llama_cpp/speed.py target/llama target/tiny --rounds 5

Prints medians over the rounds, and the ratio ours / llama.cpp of each round's pair.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

from server import complete, serving, version

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("llama", help="folder of fetch.sh")
parser.add_argument("model", type=pathlib.Path, help="folder of export-model")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--prompt", type=int, default=512)
parser.add_argument("--decode", type=int, default=128)
parser.add_argument("--example", default="target/release/examples/decode_speed")
arguments = parser.parse_args()


def ours():
    command = [arguments.example, str(arguments.model), str(arguments.prompt), str(arguments.decode)]
    out = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return out["prefill_tokens_per_s"], out["decode_tokens_per_s"]


def theirs(port, vocabulary):
    tokens = [7 + i * 31 % (vocabulary - 7) for i in range(arguments.prompt)]
    prefill = complete(port, tokens, 1)["timings"]
    decode = complete(port, tokens[:16], arguments.decode + 1)["timings"]
    return prefill["prompt_per_second"], decode["predicted_per_second"]


config = json.loads((arguments.model / "config.json").read_text())
rounds = []
with serving(arguments.llama, arguments.model / "model.gguf") as port:
    theirs(port, config["vocab_size"])  # warm
    for number in range(arguments.rounds):
        # ABBA: neither engine always goes first.
        if number % 2:
            other = theirs(port, config["vocab_size"])
            rounds.append((ours(), other))
        else:
            rounds.append((ours(), theirs(port, config["vocab_size"])))
print(f"llama.cpp {version(arguments.llama)}, {arguments.model}, {arguments.rounds} rounds, one thread")
for at, name in enumerate([f"prefill of {arguments.prompt}", f"decode of {arguments.decode}"]):
    mine = statistics.median(r[0][at] for r in rounds)
    other = statistics.median(r[1][at] for r in rounds)
    ratios = sorted(r[0][at] / r[1][at] for r in rounds)
    print(f"{name}: ours {mine:.0f} tokens/s, llama.cpp {other:.0f}, "
          f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
