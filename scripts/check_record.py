#!/usr/bin/env python3
"""Reads a record as a stranger would and checks that it carries a claim.

The candidates of the experiment differ several-fold from the control, so any
class below `moderate` must have a gate's reason; what the gates found is
printed either way.
"""
import json
import math
import sys


def main(path):
    record = json.load(open(path))
    assert record["schema"].startswith("evenhand.record/1."), record["schema"]
    assert record["measurements"]["status"] == "complete"
    claims = [c for e in record["judgement"]["experiments"] for c in e["claims"]]
    assert claims, "the record has no claim"
    for claim in claims:
        estimate = claim["estimate"]
        print(f"{claim['candidate']}: {claim['class']}: {claim['sentence']}")
        assert estimate["n"] == 12, estimate
        assert 0 < estimate["p"] <= 1
        assert all(math.isfinite(x) for x in (estimate["effect"], estimate["sd"]))
        codes = [r["code"] for r in claim["reasons"]]
        if claim["class"] not in ("strong", "moderate"):
            assert "autocorrelated" in codes or "too_few_effective" in codes, claim
    reached = [c for c in claims if c["class"] in ("strong", "moderate")]
    assert reached, "no comparison reached a claim"
    workers = record["measurements"]["experiments"][0]["workers"]
    assert len({w["pid"] for w in workers}) == len(workers), "workers are fresh processes"


if __name__ == "__main__":
    main(sys.argv[1])
