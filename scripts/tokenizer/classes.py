#!/usr/bin/env python3
"""Write the ranges of letters and numbers that the pre-tokenizer needs, as the `tokenizers` library
sees them: the standard library's tables change with the compiler, and so would the tokens.

Needs: pip install tokenizers
Usage: classes.py > src/runtime/tokenizer/classes.rs
"""
from tokenizers import pre_tokenizers

byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


def boundaries(companion):
    """Where membership in the class of `companion` changes, from code point 0 on."""
    inside, found = False, []
    for code in range(0x110000):
        joined = not 0xD800 <= code < 0xE000 and len(byte_level.pre_tokenize_str(companion + chr(code))) == 1
        if joined != inside:
            found.append(code)
            inside = joined
    return found


def show(name, doc, numbers):
    print(f"\n/// {doc}\n#[rustfmt::skip]\npub(super) const {name}: [u32; {len(numbers)}] = [")
    for at in range(0, len(numbers), 12):
        print("    " + " ".join(f"{n:#x}," for n in numbers[at : at + 12]))
    print("];")


print("//! Unicode's letters and numbers; written by `scripts/tokenizer/classes.py`.")
print("//!\n//! Each table lists where membership changes: outside below the first entry,")
print("//! inside from it up to the second, and so on.")
show("LETTERS", r"`\p{L}`.", boundaries("a"))
show("NUMBERS", r"`\p{N}`.", boundaries("1"))
