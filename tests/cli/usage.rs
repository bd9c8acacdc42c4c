//! Help, colours, and what wrong invocations say.

use super::support::{CARGO, Lab};

const COMMANDS: [&str; 12] = [
    "list",
    "run",
    "resume",
    "show",
    "analyze",
    "calibrate",
    "gate",
    "report",
    "schema",
    "doctor",
    "serve",
    "simulate",
];

#[test]
fn every_help_has_examples() {
    let lab = Lab::new();
    let all = lab.evenhand("", &["--help"]).code(0).out;
    assert!(all.contains("Examples:") && all.contains("Exit codes:"));
    for command in COMMANDS {
        assert!(all.contains(command), "{command}");
        let help = lab.evenhand("", &[command, "--help"]).code(0).out;
        assert!(help.contains("Examples:"), "{command}:\n{help}");
        assert!(
            help.contains(&format!("cargo evenhand {command}")),
            "{command}:\n{help}"
        );
    }
}

#[test]
fn completions_and_man_pages_are_made() {
    let lab = Lab::new();
    let completions = lab.evenhand("", &["completions", "bash"]).code(0).out;
    assert!(completions.contains("calibrate"));
    let man = lab.path("man");
    lab.evenhand("", &["man", "--out", man.to_str().unwrap()])
        .code(0);
    assert!(std::fs::read_dir(man).unwrap().count() > 10);
}

#[test]
fn wrong_invocations_are_usage_errors() {
    let lab = Lab::new();
    for arguments in [
        &["frobnicate"][..],
        &["run", "--workers", "0"],
        &["run", "--budget", "soon"],
        &["run", "--plan", "x.json", "--quick"],
        &["gate", "--fail-on", "weather"],
        &["schema", "poem"],
        &["calibrate", "--workers", "2"],
    ] {
        let ended = lab.evenhand("", arguments).code(2);
        assert!(
            !ended.err.is_empty() && ended.out.is_empty(),
            "{arguments:?}"
        );
    }
    lab.evenhand("", &["show"])
        .code(2)
        .says(&["no session", "cargo evenhand run"]);
    lab.evenhand("", &["gate", "nowhere.json"])
        .code(2)
        .says(&["nowhere.json", "latest"]);
    lab.evenhand("", &["run", "--", "--bench", "no-such-target"])
        .code(2)
        .says(&["no-such-target"]);
}

#[test]
fn nothing_selected_is_code_4() {
    let lab = Lab::new();
    lab.measure("same", &["run", "no such experiment"])
        .code(4)
        .says(&["cli_subject", "cargo evenhand list"]);
    // A package whose bench targets are not ours; none of them is started.
    lab.evenhand(
        "",
        &["list", "--profile", CARGO[1], "-p", "evenhand-kernels"],
    )
    .code(4)
    .says(&["harness = false", "evenhand::main!"]);
}

#[test]
fn the_list_shows_declarations_and_their_problems() {
    let lab = Lab::new();
    let subject = "same,alone,undeclarable";
    let list = lab.measure(subject, &["list"]).code(0).out;
    assert!(list.contains("pretend/same: old | new; wall_time, lower is better; margin 5 %"));
    assert!(list.contains("no_control: problem:"), "{list}");
    let listing = lab
        .measure(subject, &["list", "--format", "json", "pretend", "alone"])
        .code(0)
        .json("evenhand.list/1.0");
    let experiments = listing["targets"][0]["experiments"].as_array().unwrap();
    assert_eq!(experiments.len(), 2);
    assert_eq!(experiments[0]["control"], "old");
    assert_eq!(experiments[0]["margin"]["value"], 0.05);
    assert!(experiments[1]["control"].is_null());
}

#[test]
fn the_doctor_says_what_each_finding_does() {
    let lab = Lab::new();
    let text = lab.evenhand("", &["doctor"]).code(0).out;
    assert!(text.contains("timer") && text.contains("checks"));
    let document = lab
        .evenhand("", &["doctor", "--format", "json"])
        .code(0)
        .json("evenhand.doctor/1.0");
    for finding in document["findings"].as_array().unwrap() {
        let good = finding["good"].as_bool().unwrap();
        assert_eq!(good, finding["effect"] == "", "{finding}");
    }
}

#[test]
fn the_doctor_measures_the_embedded_model() {
    let lab = Lab::new();
    let text = lab.evenhand("", &["doctor", "--runtime"]).code(0).out;
    assert!(
        text.contains("5.2 M parameters") && text.contains("tokens/s"),
        "{text}"
    );
    let document = lab
        .evenhand("", &["doctor", "--runtime", "--format", "json"])
        .code(0)
        .json("evenhand.runtime/1.0");
    assert_eq!(document["threads"], 1);
    assert!(document["decode_tokens_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn serve_refuses_what_makes_no_sense() {
    let lab = Lab::new();
    for (arguments, word) in [
        (&["--preset", "huge"][..], "tiny and small"),
        (&["--host", "0.0.0.0"], "--allow-remote"),
        (&["--batch", "0"], "`batch` is 0"),
        (&["--head-limit", "10"], "`head_bytes`"),
        (&["--model", "no/such/folder"], "no/such/folder"),
    ] {
        let all = [&["serve", "--port", "0"], arguments].concat();
        lab.evenhand("", &all).code(2).says(&[word]);
    }
}

#[test]
fn colours_are_used_when_asked_for_only() {
    let lab = Lab::new();
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = lab.command("", arguments);
        command.envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let coloured = |text: &str| text.contains('\x1b');
    assert!(!coloured(&run(&[], &["doctor"])), "a pipe");
    assert!(coloured(&run(&[], &["doctor", "--color", "always"])));
    assert!(coloured(&run(
        &[("CARGO_TERM_COLOR", "always")],
        &["doctor"]
    )));
    let both = [("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")];
    assert!(!coloured(&run(&both, &["doctor"])));
    assert!(!coloured(&run(
        &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
        &["doctor"]
    )));
}
