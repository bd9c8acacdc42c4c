//! The bench target speaks to cargo, nextest, criterion's users and tools.

mod common;

use common::{Finished, Subject};

#[test]
fn lists_as_libtest_and_nextest_want() {
    let subject = Subject::new("plain,single");
    let terse = Finished::new(subject.run(&["--list", "--format", "terse"]));
    assert_eq!(
        terse.stdout,
        "plain/sum: benchmark\nsingle/sum: benchmark\n"
    );
    let ignored = Finished::new(subject.run(&["--list", "--format", "terse", "--ignored"]));
    assert_eq!(ignored.stdout, "");
    let one = Finished::new(subject.run(&["plain/sum", "--exact", "--nocapture"]));
    assert_eq!(one.code, 0);
    assert!(
        one.stdout.contains("test plain/sum ... ok"),
        "{}",
        one.stdout
    );
    assert!(
        one.stdout
            .contains("1 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out")
    );
}

#[test]
fn without_arguments_everything_runs_once_as_a_test() {
    let subject = Subject::new("plain,three_arms,single,async,batched");
    let finished = Finished::new(subject.run(&[]));
    assert_eq!(finished.code, 0, "{finished:#?}");
    assert!(
        finished.stdout.contains("5 passed; 0 failed"),
        "{}",
        finished.stdout
    );
    assert!(
        !subject.path("sessions").exists(),
        "a smoke run leaves nothing behind"
    );
}

#[test]
fn wrong_arguments_exit_with_2_and_say_where_help_is() {
    let subject = Subject::new("plain");
    for arguments in [
        &["--bench", "--frobnicate"][..],
        &["--bench", "--workers", "none"],
    ] {
        let finished = Finished::new(subject.run(arguments));
        assert_eq!(finished.code, 2);
        assert!(finished.stderr.contains("--help"), "{}", finished.stderr);
        assert_eq!(finished.stdout, "");
    }
    let help = Finished::new(subject.run(&["--help", "--bench"]));
    assert!(help.stdout.contains("Examples:"), "{}", help.stdout);
}

#[test]
fn targets_of_one_cargo_command_share_a_session() {
    let subject = Subject::new("plain");
    // A shell by the name of cargo stands for it.
    let cargo = subject.path("cargo");
    std::fs::copy("/bin/sh", &cargo).unwrap();
    let bench = subject.command(&["--bench", "--blocks", "4", "--workers", "6"]);
    let mut command = std::process::Command::new(&cargo);
    command
        .args([
            "-c",
            "\"$0\" \"$@\" --seed 5; \"$0\" \"$@\" --seed 6; echo code $?",
        ])
        .arg(bench.get_program())
        .args(bench.get_args())
        .envs(
            bench
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    let finished = Finished::new(command.output().unwrap());
    assert!(
        finished.stdout.contains("code 2"),
        "a session has one seed: {finished:#?}"
    );
    let sessions = |s: &Subject| common::files(&s.path("sessions"), "Z-").len();
    assert_eq!(sessions(&subject), 1);

    // Two commands of anything else are two sessions.
    let subject = Subject::new("plain");
    subject.bench(&["--seed", "5"]);
    subject.bench(&["--seed", "6"]);
    assert_eq!(sessions(&subject), 2);
}

#[test]
fn output_formats_for_tools() {
    let subject = Subject::new("plain");
    let finished = subject.bench(&["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(json["schema"], "evenhand.result/1.0");
    assert_eq!(json["experiments"][0]["id"], "plain/sum");
    assert!(json["experiments"][0]["claims"][0]["sentence"].is_string());

    let subject = Subject::new("plain");
    let finished = subject.bench(&["--output-format", "bencher"]);
    let line = finished.stdout.lines().next().unwrap();
    assert!(
        line.starts_with("test plain/sum/whole ... bench: "),
        "{line}"
    );
    assert!(line.contains(" ns/iter (+/- "), "{line}");
}

#[test]
fn no_escape_codes_when_told_so() {
    let subject = Subject::new("plain");
    let finished = subject.bench(&[]);
    assert!(!finished.stdout.contains('\u{1b}'));
    let subject = Subject::new("plain");
    let finished = subject.bench(&["--color", "always"]);
    assert!(finished.stdout.contains('\u{1b}'));
}

#[test]
fn a_budget_gives_up_blocks_then_workers_and_says_what_is_left() {
    let subject = Subject::new("plain");
    let output = subject.run(&["--bench", "--plan-only", "--budget", "10ms"]);
    let finished = Finished::new(output);
    assert!(
        finished.stderr.contains("budget of 1 s is too small"),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("`moderate` at best"),
        "{}",
        finished.stderr
    );
    let plan = evenhand_harness::run::read_plan(&subject.latest().join("plan.json")).unwrap();
    let experiment = &plan.targets[0].experiments[0];
    assert_eq!((experiment.workers, experiment.blocks), (6, 12));
}

#[test]
fn nothing_selected_leaves_no_session() {
    let subject = Subject::new("plain");
    let finished = Finished::new(subject.run(&["--bench", "no such experiment"]));
    assert_eq!(finished.code, 0, "cargo goes on with the next target");
    assert!(
        finished.stderr.contains("no experiment matches"),
        "{}",
        finished.stderr
    );
    assert!(!subject.path("sessions").exists());
}

#[test]
fn calibration_compares_every_arm_with_itself() {
    let subject = Subject::new("plain");
    subject.bench(&["--calibrate"]);
    let record = subject.record();
    let ids: Vec<&str> = record
        .judgement
        .experiments
        .iter()
        .map(|e| e.id.as_str())
        .collect();
    assert_eq!(
        ids,
        ["plain/sum [whole = whole]", "plain/sum [halves = halves]"]
    );
    for judged in &record.judgement.experiments {
        assert_eq!(judged.claims.len(), 1);
        assert_eq!(judged.arms[0].n, 6);
    }
}

#[test]
fn sequential_rules_stop_by_themselves_and_resume_agrees() {
    // A large effect is found at the first look of the e-process's limit.
    let subject = Subject::new("plain");
    subject.bench(&["--stop", "precision:90%", "--workers", "20"]);
    let record = subject.record();
    let data = &record.measurements.experiments[0];
    assert_eq!(
        data.workers.len(),
        8,
        "the fewest that a precision stop allows"
    );
    assert_eq!(
        record.measurements.status,
        evenhand_harness::observation::Status::Complete
    );
    let claim = &record.judgement.experiments[0].claims[0];
    assert!(
        claim.reasons.iter().all(|r| r.code.name() != "incomplete"),
        "{claim:#?}"
    );

    // Nothing is open, so the same session has nothing left to run.
    let again = subject
        .command(&["--bench"])
        .env("EVENHAND_SESSION", subject.latest())
        .output()
        .unwrap();
    assert!(again.status.success());
    assert_eq!(
        subject.record().measurements.experiments[0].workers.len(),
        8
    );
}

#[test]
fn looks_are_part_of_the_plan() {
    let subject = Subject::new("plain");
    let finished = Finished::new(subject.run(&["--bench", "--plan-only", "--stop", "looks:12,24"]));
    assert_eq!(finished.code, 0, "{finished:#?}");
    let plan = evenhand_harness::run::read_plan(&subject.latest().join("plan.json")).unwrap();
    assert_eq!(plan.targets[0].experiments[0].workers, 24);
    let wrong = Finished::new(subject.run(&["--bench", "--stop", "significant"]));
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("looks:12,24,36"), "{}", wrong.stderr);
}
