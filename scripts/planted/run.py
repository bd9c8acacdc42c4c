#!/usr/bin/env python3
"""Finds planted differences, and finds none where none was planted.

Runs the example `planted` many times with 3 percent more work in the
candidate and as many times with 0 percent, while another process keeps one
core busy half of the time. Prints which classes the claims had. Takes about a
minute per run; not part of CI.

    python3 scripts/planted/run.py                  20 runs of each
    python3 scripts/planted/run.py --runs 2 --quick
"""

import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLASSES = ["strong", "moderate", "parity_established", "directional",
           "noise_dominated", "insufficient", "invalid"]


def disturb(period=0.1):
    """Keeps a core busy half of the time."""
    while True:
        end = time.perf_counter() + period / 2
        while time.perf_counter() < end:
            pass
        time.sleep(period / 2)


def build():
    """Builds the example and gives its executable."""
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "build", "--release", "--example", "planted", "--message-format=json"]
    messages = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for line in messages.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "planted":
            return message["executable"]
    sys.exit("cargo built no example `planted`")


def measure(executable, percent, options, folder):
    """One session; gives (experiment, class, outcome, effect) per claim."""
    environment = dict(os.environ, PLANTED_PERCENT=str(percent), EVENHAND_DIR=folder,
                       CRITERION_HOME=os.path.join(folder, "criterion"))
    environment.pop("EVENHAND_SESSION", None)
    command = [executable, "--bench", "--quiet", "--format", "json", *options]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    for experiment in json.loads(done.stdout)["experiments"]:
        for claim in experiment["claims"]:
            yield experiment["id"], claim["class"], claim["outcome"], claim["estimate"]["effect"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="runs of each percentage")
    parser.add_argument("--percent", type=float, default=3.0, help="what is planted")
    parser.add_argument("--quick", action="store_true", help="6 workers")
    parser.add_argument("--workers", type=int, help="workers of a session")
    parser.add_argument("--blocks", type=int, help="blocks of a worker")
    parser.add_argument("--calm", action="store_true", help="no disturbing process")
    arguments = parser.parse_args()
    options = ["--quick"] if arguments.quick else []
    for name in ["workers", "blocks"]:
        if getattr(arguments, name):
            options.append(f"--{name}={getattr(arguments, name)}")

    executable = build()
    if not arguments.calm:
        multiprocessing.Process(target=disturb, daemon=True).start()
    counts = collections.defaultdict(collections.Counter)
    wrong = collections.Counter()
    effects = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for run in range(arguments.runs):
            # Alternating, so that both meet the same weather.
            for percent in [arguments.percent, 0.0]:
                session = os.path.join(folder, f"{run}-{percent}")
                for name, class_, outcome, effect in measure(executable, percent, options, session):
                    key = (percent, name)
                    counts[key][class_] += 1
                    effects[key].append(effect)
                    claimed = class_ in ("strong", "moderate")
                    right = percent > 0 and outcome == "regression"
                    parity = class_ == "parity_established" and percent > 1
                    wrong[key] += (claimed and not right) or parity
            print(f"run {run + 1} of {arguments.runs}", file=sys.stderr)

    print(f"{'planted':>8}  {'experiment':<18}" + "".join(f"{c[:12]:>14}" for c in CLASSES)
          + f"{'wrong':>8}{'mean effect':>13}")
    for (percent, name), found in sorted(counts.items(), reverse=True):
        mean = sum(effects[percent, name]) / len(effects[percent, name])
        print(f"{percent:>6} %  {name:<18}" + "".join(f"{found[c]:>14}" for c in CLASSES)
              + f"{wrong[percent, name]:>8}{100 * mean:>11.2f} %")


if __name__ == "__main__":
    main()
