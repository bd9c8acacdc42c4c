#!/usr/bin/env python3
"""Every dependency's licence must be one that deny.toml allows.

Reads `cargo metadata`; needs nothing but Python's standard library.
"""
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def allowed_by(expression, allowed):
    """Evaluates an SPDX expression (OR, AND, WITH, parentheses, the old `/`)."""
    tokens = re.findall(r"\(|\)|[^()\s]+", expression.replace("/", " OR "))

    def disjunction(at):
        value, at = conjunction(at)
        while at < len(tokens) and tokens[at] == "OR":
            other, at = conjunction(at + 1)
            value = value or other
        return value, at

    def conjunction(at):
        value, at = atom(at)
        while at < len(tokens) and tokens[at] == "AND":
            other, at = atom(at + 1)
            value = value and other
        return value, at

    def atom(at):
        if tokens[at] == "(":
            value, at = disjunction(at + 1)
            return value, at + 1
        name, at = tokens[at], at + 1
        if at < len(tokens) and tokens[at] == "WITH":
            name, at = f"{name} WITH {tokens[at + 1]}", at + 2
        return name in allowed, at

    return disjunction(0)[0]


def main():
    assert allowed_by("MIT OR GPL-3.0", {"MIT"}) and not allowed_by("MIT AND GPL-3.0", {"MIT"})
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--locked"],
            cwd=ROOT, check=True, stdout=subprocess.PIPE,
        ).stdout
    )
    bad = []
    for package in metadata["packages"]:
        if package["name"] == "bootstrap" and package["source"]:
            bad.append("bootstrap: the crate of that name on crates.io is an unrelated tool")
        licence = package["license"]
        if licence is None or not allowed_by(licence, allowed):
            bad.append(f"{package['name']} {package['version']}: {licence}")
    for line in bad:
        print(f"licence not allowed: {line}", file=sys.stderr)
    print(f"licences: {len(metadata['packages'])} packages checked, {len(bad)} not allowed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
