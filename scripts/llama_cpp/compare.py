#!/usr/bin/env python3
"""Greedy token ids of llama.cpp on an exported model, kept as a golden file for our own decoder.

  cargo evenhand export-model target/tiny --preset tiny
  scripts/llama_cpp/fetch.sh get target/llama
  scripts/llama_cpp/compare.py target/llama target/tiny tests/data/runtime/greedy_tiny.json
  cargo test --test runtime greedy

Prompts are raw ids drawn from a seed, 1 to 64 of them; each answer has 64 tokens. The file also keeps, for
every answer, the smallest lead of llama.cpp's best token over its second: where the two engines differ, a
lead within rounding explains it, and the test counts it.
"""
import argparse
import hashlib
import json
import pathlib
import random

from server import complete, serving, version

PROMPTS, ANSWER, LONGEST_PROMPT, SEED = 50, 64, 64, 1

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("llama", help="folder of fetch.sh")
parser.add_argument("model", type=pathlib.Path, help="folder of export-model")
parser.add_argument("golden", type=pathlib.Path, help="file to write")
arguments = parser.parse_args()

config = json.loads((arguments.model / "config.json").read_text())
draw = random.Random(SEED)
cases = []
# Floats in the cache, as ours; no flash attention, whose sums are of another kind.
with serving(arguments.llama, arguments.model / "model.gguf", "-ctk", "f32", "-ctv", "f32", "-fa", "off") as port:
    for _ in range(PROMPTS):
        length = draw.randint(1, LONGEST_PROMPT)
        prompt = [draw.randrange(6, config["vocab_size"]) for _ in range(length)]
        answer = complete(port, prompt, ANSWER, n_probs=2)
        leads = []
        for step in answer["completion_probabilities"]:
            first, second = step["top_logprobs"][:2]
            leads.append(first["logprob"] - second["logprob"])
        assert len(answer["tokens"]) == ANSWER
        cases.append(dict(prompt=prompt, answer=answer["tokens"], smallest_lead=round(min(leads), 6)))

digest = hashlib.sha256((arguments.model / "model.safetensors").read_bytes()).hexdigest()
document = dict(llama_cpp=version(arguments.llama), model_sha256=digest)
lines = ",\n".join("  " + json.dumps(case, separators=(",", ":")) for case in cases)
head = json.dumps(document)[:-1]
arguments.golden.parent.mkdir(parents=True, exist_ok=True)
arguments.golden.write_text(f'{head}, "cases": [\n{lines}\n]}}\n')
distinct = len({token for case in cases for token in case["answer"]})
print(f"{arguments.golden}: {PROMPTS} answers of {ANSWER}, {distinct} distinct tokens, "
      f"smallest lead {min(case['smallest_lead'] for case in cases)}")
