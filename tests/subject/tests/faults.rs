//! Whatever goes wrong in one experiment is named, and the others go on.

mod common;

use common::Subject;
use evenhand_harness::claim::Class;
use evenhand_harness::observation::{Status, WorkerOutcome};

/// A bad experiment beside a good one.
fn beside_a_good_one(bad: &str) -> (Subject, common::Finished) {
    let subject = Subject::new(&format!("{bad},plain"));
    let finished = subject.bench(&[]);
    let record = subject.record();
    let good = record
        .judgement
        .experiments
        .iter()
        .find(|e| e.id == "plain/sum")
        .unwrap();
    assert_eq!(
        good.arms[0].n, 6,
        "{bad}: the good experiment was measured: {finished:#?}"
    );
    assert_ne!(good.claims[0].class, Class::Invalid, "{bad}");
    assert_eq!(record.measurements.status, Status::Complete);
    (subject, finished)
}

#[test]
fn every_misbehaviour_names_experiment_and_arm() {
    for (bad, code, words) in [
        (
            "panics",
            "arm_failed",
            &["bad/panics", "`b` panicked", "out of cheese"][..],
        ),
        (
            "panics_in_setup",
            "arm_failed",
            &["`b` panicked", "no input"],
        ),
        (
            "never_iterates",
            "arm_failed",
            &["`b` can't be measured", "never called"],
        ),
        (
            "iterates_twice",
            "arm_failed",
            &["`b` can't be measured", "2 times"],
        ),
        (
            "wrong",
            "wrong_output",
            &["`b` gave a wrong output", "element 0 is 2 where 1"],
        ),
        ("wrong_later", "wrong_output", &["`b` gave a wrong output"]),
        (
            "no_output",
            "arm_failed",
            &["`b` can't be measured", "iter_returning"],
        ),
        ("nan", "arm_failed", &["`b` gave a value", "NaN"]),
        (
            "zero",
            "arm_failed",
            &["`b` gave a value", "PairedDifference"],
        ),
        (
            "refuses",
            "arm_failed",
            &["bad/refuses", "`b` failed", "no such device"],
        ),
        (
            "gives_up",
            "arm_failed",
            &["`b` failed", "the device disappeared"],
        ),
        (
            "gives_up_warming",
            "arm_failed",
            &[
                "bad/gives_up_warming",
                "`b` failed",
                "the device disappeared",
            ],
        ),
        (
            "lacks_a_metric",
            "arm_failed",
            &["`b` gave a value", "0 secondary values", "declares 1"],
        ),
        (
            "apart_panics",
            "arm_failed",
            &["`b` failed", "it panicked: out of cheese"],
        ),
        (
            "apart_refuses",
            "arm_failed",
            &["`b` failed", "no such device"],
        ),
        ("apart_dies", "arm_failed", &["`b` failed", "last words"]),
        ("apart_nan", "arm_failed", &["`b` failed", "NaN"]),
        ("apart_wrong", "wrong_output", &["gave a wrong output"]),
        ("exits", "arm_failed", &["bad/exits", "exit code 0"]),
    ] {
        let (subject, finished) = beside_a_good_one(bad);
        let record = subject.record();
        let judged = record
            .judgement
            .experiments
            .iter()
            .find(|e| e.id.starts_with("bad/"))
            .unwrap();
        for claim in &judged.claims {
            assert_eq!(claim.class, Class::Invalid, "{bad}");
            assert_eq!(claim.reasons[0].code.name(), code, "{bad}: {claim:#?}");
            assert!(
                claim.sentence.starts_with("No claim, because"),
                "{}",
                claim.sentence
            );
        }
        for text in words {
            assert!(
                finished.stderr.contains(text),
                "{bad}: {text} not in {}",
                finished.stderr
            );
        }
    }
}

#[test]
fn wrong_declarations_are_named() {
    for (bad, words) in [
        ("duplicate", &["bad/duplicate", "stands twice"][..]),
        (
            "two_controls",
            &["bad/two_controls", "`a`, `b`", "more than one control"],
        ),
        ("no_control", &["bad/no_control", "no control"]),
        ("lonely_control", &["control `a` has no candidate"]),
        ("no_arm", &["bad/no_arm", "no arm"]),
        ("same_arm", &["arm `a` is declared twice"]),
        (
            "zero_margin",
            &["bad/zero_margin", "margin is 0", "above zero"],
        ),
    ] {
        let (_, finished) = beside_a_good_one(bad);
        for text in words {
            assert!(
                finished.stderr.contains(text),
                "{bad}: {text} not in {}",
                finished.stderr
            );
        }
        let smoke = common::Finished::new(Subject::new(bad).run(&[]));
        assert_eq!(smoke.code, 7, "{bad}");
        assert!(smoke.stdout.contains("FAILED"), "{}", smoke.stdout);
    }
}

#[test]
fn a_lost_worker_is_replaced_and_counted() {
    let subject = Subject::new("dies_once,plain");
    // The pilot would find the mark first: let it live until the first worker.
    std::fs::write(subject.path("mark"), "").unwrap();
    subject.bench(&["--plan-only"]);
    std::fs::remove_file(subject.path("mark")).unwrap();
    let output = subject
        .command(&["--bench"])
        .env("EVENHAND_SESSION", subject.latest())
        .output()
        .unwrap();
    let finished = common::Finished::new(output);
    assert_eq!(finished.code, 0);
    assert!(
        finished.stderr.contains("was lost and is replaced"),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.contains("goodbye"), "{}", finished.stderr);
    let record = subject.record();
    let data = &record.measurements.experiments[0];
    let lost: Vec<_> = data
        .workers
        .iter()
        .filter(|w| w.outcome == WorkerOutcome::Lost)
        .collect();
    assert_eq!(lost.len(), 1);
    assert_eq!(data.workers.iter().filter(|w| w.is_complete()).count(), 6);
    assert_eq!(
        data.workers.last().unwrap().worker,
        6,
        "the next index took its place"
    );
    // One of six is more than 10 %.
    let claim = &record.judgement.experiments[0].claims[0];
    assert_eq!(claim.class, Class::Invalid);
    assert_eq!(claim.reasons[0].code.name(), "workers_replaced");
}

#[test]
fn an_arm_that_always_dies_is_given_up() {
    let (subject, finished) = beside_a_good_one("dies");
    assert!(finished.stderr.contains("signal 6"), "{}", finished.stderr);
    let record = subject.record();
    assert_eq!(
        record.judgement.experiments[0].claims[0].class,
        Class::Invalid
    );
}

#[test]
fn an_arm_may_print_what_it_likes() {
    let subject = Subject::new("chatty");
    subject.bench(&[]);
    assert_eq!(subject.record().judgement.experiments[0].arms[0].n, 6);
}

#[test]
fn other_ways_to_iterate_work() {
    let subject = Subject::new("async,batched,single,three_arms");
    let finished = subject.bench(&[]);
    let record = subject.record();
    for judged in &record.judgement.experiments {
        assert!(
            judged.arms.iter().all(|a| a.n == 6 && a.median.is_some()),
            "{judged:#?}"
        );
    }
    let single = record
        .judgement
        .experiments
        .iter()
        .find(|e| e.id == "single/sum")
        .unwrap();
    assert!(single.claims.is_empty(), "a single arm has no claim");
    assert!(single.noise_floor.is_some(), "but an A/A interval");
    assert!(
        finished.stdout.contains("single/sum"),
        "{}",
        finished.stdout
    );
}

/// A limit on file sizes stands for a full disk: writes fail in the middle.
#[test]
fn a_full_disk_is_named_and_what_was_written_stays_readable() {
    let subject = Subject::new("plain");
    let bench = subject.command(&["--bench", "--workers", "6", "--blocks", "300"]);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 48; exec \"$@\"", "sh"]);
    limited.arg(bench.get_program()).args(bench.get_args());
    limited.envs(
        bench
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let finished = common::Finished::new(limited.output().unwrap());
    assert!(
        finished.stderr.contains("met a system error"),
        "{finished:#?}"
    );
    assert!(finished.stderr.contains("w00.jsonl"), "{finished:#?}");
    let record = subject.record();
    let worker = &record.measurements.experiments[0].workers[0];
    assert!(
        worker.len() > 100,
        "{} slots were written before the disk was full",
        worker.len()
    );
    assert_eq!(
        record.judgement.experiments[0].claims[0].class,
        Class::Invalid
    );
}

/// One experiment alone is run in the process itself, where a debugger sees it.
#[test]
fn a_smoke_run_outlives_an_arm_that_ends_its_process() {
    let subject = Subject::new("apart_dies,plain,panics");
    let smoke = common::Finished::new(subject.run(&[]));
    assert_eq!(smoke.code, 7, "{smoke:#?}");
    for text in [
        "running 3 tests\ntest bad/apart_dies ... FAILED\n",
        "the process ended with signal 6 before it could tell a result",
        "test plain/sum ... ok\n",
        "`b` panicked: out of cheese",
        "1 passed; 2 failed",
    ] {
        assert!(
            smoke.stdout.contains(text),
            "{text} not in {}",
            smoke.stdout
        );
    }
    assert!(smoke.stderr.contains("last words"), "{}", smoke.stderr);

    let alone = subject.run(&["bad/apart_dies", "--exact"]);
    assert_eq!(alone.status.code(), None, "it ended by a signal: {alone:?}");
}

/// Its parent was killed before the system could be asked to tell of that.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_starts_as_an_orphan_runs_no_arm() {
    let subject = Subject::new("apart_hangs");
    let (input, _) = std::io::pipe().unwrap();
    let output = subject
        .command(&["__smoke", "bad/apart_hangs", "1"])
        .stdin(input)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("the process that started this one has ended"),
        "{told}"
    );
    assert!(!subject.path("log").exists(), "the arm ran");
}
