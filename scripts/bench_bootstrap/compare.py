"""Times our resampling against SciPy's and criterion's, interleaved.

All figures are CPU milliseconds on one thread (Linux only). Every round asks
each side once; the least of a side over all rounds counts, so that load from
outside hurts neither. `run.sh` prepares everything that this file needs.
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
    (36, 10_000, 100, 20, 40),
    (36, 100_000, 10, None, None),
    (1_000, 10_000, 5, 15, 300),
    (10_000, 10_000, 1, 30, 1_500),
]
CRITERION = (100, 100_000)
CRITERION_GOAL = 10
# Estimates that criterion resamples: slope, mean, median, sd, MAD.
CRITERION_STATISTICS = 5


def scipy_ms(x, resamples, batch):
    rng = np.random.default_rng(1)
    start = time.process_time()
    stats.bootstrap((x,), np.mean, n_resamples=resamples, method="BCa", vectorized=True, batch=batch, rng=rng)
    return (time.process_time() - start) * 1e3


class Ours:
    """The example binary, kept running; one line in, one line out."""

    def __init__(self, directory):
        command = [os.path.join(directory, "resample_times")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ms(self, scheme, n, resamples, repeats):
        before = self.cpu_ns()
        self.process.stdin.write(f"{scheme} {n} {resamples} {repeats}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()
        time.sleep(0.01)  # the kernel books the time when the process waits again
        return (self.cpu_ns() - before) / repeats / 1e6

    def cpu_ns(self):
        with open(f"/proc/{self.process.pid}/schedstat") as file:
            return int(file.read().split()[0])


def criterion_ms(directory, resamples):
    """CPU time of a whole criterion run that sleeps while it measures."""
    with tempfile.TemporaryDirectory() as home:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [os.path.join(directory, "criterion_resampling"), str(resamples)]
        environment = os.environ | {"CRITERION_HOME": home}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def verdict(theirs, ours, goal):
    """The ratio of the least times, and the range of the rounds' own ratios."""
    ratio = min(theirs) / min(ours)
    rounds = [t / o for t, o in zip(theirs, ours)]
    met = "" if goal is None else f", goal {goal:,}x{'' if ratio >= goal else ' MISSED'}"
    return f"{ratio:,.1f}x (rounds {min(rounds):,.1f}-{max(rounds):,.1f}{met})"


def against_scipy(ours, n, resamples, repeats, goal, fourier_goal, rounds):
    x = 100 + np.random.default_rng(n).exponential(size=n)
    resampled, fourier, default, batched = [], [], [], []
    for _ in range(rounds):
        resampled.append(ours.ms("bca", n, resamples, repeats))
        fourier.append(ours.ms("fourier", n, resamples, 10 * repeats))
        default.append(scipy_ms(x, resamples, None))
        # What an expert would ask for: batches that stay in cache.
        batched.append(scipy_ms(x, resamples, max(1, 100_000 // n)))
    print(f"n {n:,}, B {resamples:,}: scipy {min(default):.2f} by default, {min(batched):.2f} in batches")
    for name, times, wanted in (("resampled", resampled, goal), ("Fourier", fourier, fourier_goal)):
        in_batches = min(batched) / min(times)
        print(f"  {name} {min(times):.3f}: {verdict(default, times, wanted)}; batches {in_batches:,.0f}x", flush=True)


def against_criterion(ours, directory, rounds):
    n, resamples = CRITERION
    few, many = [], []
    schemes = {"bca": [], "fourier": [], "bootstrap_t": [], "median": []}
    for _ in range(rounds):
        few.append(criterion_ms(directory, 1_000))
        for scheme, times in schemes.items():
            times.append(ours.ms(scheme, n, resamples, 5))
        many.append(criterion_ms(directory, resamples))
    # The whole run at 100,000 resamples less the whole run at 1,000.
    scale = resamples / (resamples - 1_000) / CRITERION_STATISTICS
    theirs = [(run - min(few)) * scale for run in many]
    print(f"criterion, sample {n}, {resamples:,} resamples, per statistic: {min(theirs):.1f}")
    for scheme, times in schemes.items():
        print(f"  {scheme} {min(times):.3f}: {verdict(theirs, times, CRITERION_GOAL)}")


def main():
    directory, rounds = sys.argv[1], int(sys.argv[2])
    ours = Ours(directory)
    print(f"{platform.machine()}, load {os.getloadavg()[0]:.1f}, numpy {np.__version__}, scipy {scipy.__version__}")
    print(f"BCa of a mean, CPU milliseconds, least of {rounds} rounds")
    for case in CASES:
        against_scipy(ours, *case, rounds)
    against_criterion(ours, directory, rounds)


if __name__ == "__main__":
    main()
