"""Times our resampling against SciPy's and criterion's, interleaved.

Every round asks each side once; the least time of a side over all rounds
counts, so that load from outside hurts neither. `run.sh` prepares everything
that this file needs.
"""

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy
from scipy import stats

# n, resamples, repeats of ours per round, and the goals for resampled and Fourier BCa
CASES = [
    (36, 10_000, 20, 20, 40),
    (36, 100_000, 3, None, None),
    (1_000, 10_000, 3, 15, 300),
    (10_000, 10_000, 1, 30, 1_500),
]
CRITERION = (100, 100_000)
CRITERION_GOAL = 10
# Estimates that criterion resamples: slope, mean, median, sd, MAD.
CRITERION_STATISTICS = 5


def scipy_ms(x, resamples, batch):
    rng = np.random.default_rng(1)
    start = time.perf_counter()
    stats.bootstrap((x,), np.mean, n_resamples=resamples, method="BCa", vectorized=True, batch=batch, rng=rng)
    return (time.perf_counter() - start) * 1e3


class Ours:
    """The example binary, kept running; one line in, one line out."""

    def __init__(self, directory):
        command = [os.path.join(directory, "resample_times")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ms(self, n, resamples, repeats):
        """Milliseconds of BCa, Fourier BCa, bootstrap-t and a median."""
        self.process.stdin.write(f"{n} {resamples} {repeats}\n")
        self.process.stdin.flush()
        return [float(field) for field in self.process.stdout.readline().split()[2:]]


def criterion_cpu_ms(directory, resamples):
    """CPU time of a whole criterion run that sleeps while it measures."""
    with tempfile.TemporaryDirectory() as home:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [os.path.join(directory, "criterion_resampling"), str(resamples)]
        subprocess.run(command, check=True, env=os.environ | {"CRITERION_HOME": home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def verdict(ratio, goal):
    if goal is None:
        return f"{ratio:,.0f}x"
    return f"{ratio:,.0f}x (goal {goal:,}x{'' if ratio >= goal else ' MISSED'})"


def main():
    directory, rounds = sys.argv[1], int(sys.argv[2])
    ours = Ours(directory)
    print(f"{platform.machine()}, load {os.getloadavg()[0]:.1f}, numpy {np.__version__}, scipy {scipy.__version__}")
    print("BCa of a mean, least of the rounds, one thread, milliseconds")
    for n, resamples, repeats, goal, fourier_goal in CASES:
        x = 100 + np.random.default_rng(n).exponential(size=n)
        best, default, batched = [float("inf")] * 4, float("inf"), float("inf")
        for _ in range(rounds):
            best = [min(pair) for pair in zip(best, ours.ms(n, resamples, repeats))]
            default = min(default, scipy_ms(x, resamples, None))
            # What an expert would ask for: batches that stay in cache.
            batched = min(batched, scipy_ms(x, resamples, max(1, 100_000 // n)))
        print(f"n {n:,}, B {resamples:,}: scipy {default:.2f} by default, {batched:.2f} in batches")
        for name, ms, wanted in (("resampled", best[0], goal), ("Fourier", best[1], fourier_goal)):
            against = f"{verdict(default / ms, wanted)} by default, {verdict(batched / ms, None)} in batches"
            print(f"  {name} {ms:.3f}: {against}", flush=True)

    n, resamples = CRITERION
    best, few, many = [float("inf")] * 4, float("inf"), float("inf")
    for _ in range(rounds):
        few = min(few, criterion_cpu_ms(directory, 1_000))
        best = [min(pair) for pair in zip(best, ours.ms(n, resamples, 3))]
        many = min(many, criterion_cpu_ms(directory, resamples))
    # The whole run at 100,000 resamples less the whole run at 1,000.
    theirs = (many - few) / CRITERION_STATISTICS * resamples / (resamples - 1_000)
    print(f"criterion, sample {n}, {resamples:,} resamples, CPU milliseconds per statistic: {theirs:.1f}")
    for name, ms in zip(("mean, BCa", "mean, Fourier BCa", "mean, bootstrap-t", "median, percentile"), best):
        print(f"  {name}: {ms:.3f} = {verdict(theirs / ms, CRITERION_GOAL)}")


if __name__ == "__main__":
    main()
