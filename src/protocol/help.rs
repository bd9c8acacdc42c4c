//! `--help` of a bench target.

/// Prints the options.
pub(super) fn print(target: &str) {
    anstream::println!(
        "Bench target `{target}`: measures experiments and prints claims that hold.

Usage: cargo bench --bench {target} -- [OPTIONS] [FILTER]...

A FILTER selects the experiments whose id contains it.

Selecting:
      --exact                  Filters are whole ids
      --skip TEXT              Leave out experiments whose id contains TEXT
      --list                   Print the experiments and stop
      --test                   Run every experiment once and verify it, without timing;
                               several run in a process each, one alone in this one

Measuring:
      --quick                  Fewer blocks, and the fewest workers that can claim anything
      --workers N              Fresh processes per experiment (12)
      --blocks N               Comparison blocks per worker (50)
      --budget TIME            Time for the whole target (60s, 2m): gives up blocks, then workers
      --measurement-time TIME  The same for each experiment
      --stop RULE              fixed, precision:0.5%, looks:12,24,36 or e-process
      --seed SEED              Seed of all random draws (drawn once per session, and printed)
      --device DEVICE          What kernel tasks run on: auto, cpu, cuda, cuda:INDEX, cuda:UUID
      --flush HOW              How tasks find a GPU's cache cold: write, read (over twice its size
                               before every launch), rotate (the buffers), or none (hot)
      --plan FILE              Run a stored plan again
      --plan-only              Write the plan and stop
      --calibrate              Measure every arm against itself

Printing:
      --format human|json      How results are printed
      --output-format bencher  libtest's bench lines, for tools that read them
      --color auto|always|never
  -q, --quiet                  No progress
  -v, --verbose                Every reason, also the notes
  -s, --save-baseline NAME     Store criterion's files under NAME (for critcmp) instead of `base`
  -b, --baseline NAME          Accepted; says how to compare with a stored baseline
  -h, --help

Examples:
  cargo bench --bench {target} -- --quick
  cargo bench --bench {target} -- softmax --budget 60s
  cargo bench --bench {target} -- --plan target/evenhand/latest/plan.json

The bench target exits with 0 even if a benchmark failed, so that cargo runs the other targets;
`cargo evenhand run` and `cargo evenhand gate` give exit codes by cause.

If cargo says `Unrecognized option`, the library's own test harness saw the option: put
`[lib] bench = false` (and the same in every `[[bin]]`) into Cargo.toml."
    );
}
