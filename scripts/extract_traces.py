#!/usr/bin/env python3
"""Keeps some A/A comparisons of a calibration as a small trace for tests.

usage: extract_traces.py CALIBRATION_FOLDER OUT.json [COMPARISONS]

From every session of the calibration the comparison blocks of evenly spread
experiments are kept: the arm of each slot and its value with six digits.
"""
import json
import sys
from pathlib import Path


def digits(value):
    return float(f"{value:.6g}")


def main(folder, out, wanted=24):
    comparisons = []
    for path in sorted(Path(folder).glob("*/record.json")):
        record = json.loads(path.read_text())
        for data in record["measurements"]["experiments"]:
            workers = []
            for worker in data["workers"]:
                if worker["outcome"] != "complete":
                    continue
                slots = [
                    (arm, digits(value))
                    for arm, pair, value in zip(
                        worker["instance"], worker["control_pair"], worker["value"]
                    )
                    if not pair
                ]
                workers.append(
                    {
                        "order": "".join("AB"[arm] for arm, _ in slots),
                        "ns": [value for _, value in slots],
                    }
                )
            comparisons.append({"id": data["id"], "workers": workers})
    step = max(1, len(comparisons) // int(wanted))
    kept = comparisons[::step][: int(wanted)]
    facts = record["measurements"]["environment"]["facts"]
    document = {
        "schema": "evenhand.traces/1.0",
        "source": "cargo evenhand calibrate",
        "host": facts.get("host.cpu.model", "unknown"),
        "load_1min": facts.get("load.1min", "unknown"),
        "slots_per_block": 4,
        "comparisons": kept,
    }
    Path(out).write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(f"{len(kept)} of {len(comparisons)} comparisons kept in {out}")


if __name__ == "__main__":
    main(*sys.argv[1:])
