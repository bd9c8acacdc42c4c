#!/usr/bin/env python3
"""Train the merges of the built-in tokenizer on this repository's own text.

Needs: pip install tokenizers
Usage: train_merges.py > src/runtime/tokenizer/merges.txt

A byte-level BPE with the pre-tokenizer of GPT-2. Training is greedy, so the first merges of a large
vocabulary are those of a small one: one file serves both presets. New text in the repository gives
other merges, another model and other golden ids; there is rarely a reason to run this again.
"""
import json
import pathlib
import subprocess
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 8192
SPECIAL = 6  # ids before the 256 bytes


def texts():
    listed = subprocess.run(["git", "ls-files", "*.md", "*.rs"], capture_output=True, text=True, check=True)
    for name in sorted(listed.stdout.split()):
        yield pathlib.Path(name).read_text(encoding="utf-8")


tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
trainer = trainers.BpeTrainer(
    vocab_size=VOCABULARY - SPECIAL,
    show_progress=False,
    max_token_length=16,
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
)
tokenizer.train_from_iterator(texts(), trainer)
model = json.loads(tokenizer.to_str())["model"]
merges = [m.split(" ") if isinstance(m, str) else m for m in model["merges"]]
# Each merge makes a token of its own, so that position and id agree.
assert len({a + b for a, b in merges}) == len(merges) == VOCABULARY - SPECIAL - 256, len(merges)
for a, b in merges:
    print(a, b)
print(f"{len(merges)} merges", file=sys.stderr)
