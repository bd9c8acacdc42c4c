//! 2x2 designs: simple effects, main effects, interaction, and arms that must
//! not move.

use crate::command::{analyze, document, golden, refusal, verdict};
use serde_json::Value;

const COUNTS: &str = "\
arm,registry,adaptive,passed,trials
runtime,off,off,30,100
runtime,off,on,45,100
runtime,on,off,40,100
runtime,on,on,90,100
other,off,off,80,100
other,off,on,82,100
other,on,off,81,100
other,on,on,79,100
";
const ARGUMENTS: [&str; 5] = [
    "--direction=higher",
    "--metric=success",
    "--column=factor1=registry",
    "--column=factor2=adaptive",
    "--untouched=other",
];

/// 24 tasks in four cells; the second factor does nothing by itself.
fn units(old: f64) -> String {
    let mut text = "unit,arm,factor1,factor2,value\n".to_owned();
    for unit in 0..24usize {
        for (i, (first, second)) in [("off", "off"), ("off", "on"), ("on", "off"), ("on", "on")]
            .into_iter()
            .enumerate()
        {
            let noise = |k: usize| ((unit * 37 + i * 501 + k).pow(3) % 1009) as f64 / 1009.0;
            let new = 100.0 * [1.0, 1.0, 0.9, 0.8][i] + noise(13);
            let old = if i >= 2 { old } else { 50.0 } + noise(7);
            text.push_str(&format!("{unit},new,{first},{second},{new:.4}\n"));
            text.push_str(&format!("{unit},old,{first},{second},{old:.4}\n"));
        }
    }
    text
}

const DECLARED: [&str; 9] = [
    "--direction=lower",
    "--metric=time",
    "--metric-unit=ms",
    "--margin=1%",
    "--unit=worker",
    "--order-randomised",
    "--stop-rule=fixed:24",
    "--factor=registry",
    "--factor=adaptive",
];

#[test]
fn counts_have_effects_and_no_claim() {
    let arguments: Vec<&str> = ARGUMENTS.iter().copied().chain(["-"]).collect();
    golden(
        "factorial_counts.txt",
        &analyze(&arguments, COUNTS.as_bytes()).out,
    );
    let result = document(&ARGUMENTS, COUNTS);
    let designs = result["designs"].as_array().unwrap();
    assert_eq!(designs.len(), 1, "the untouched arm is not judged");
    assert_eq!(designs[0]["class"], "directional");
    let interaction = &designs[0]["effects"][6];
    assert_eq!(interaction["difference"], 0.35);
    assert!(interaction["ci95"]["lo"].as_f64().unwrap() > 0.0);
}

#[test]
fn an_untouched_arm_that_moved_refuses_counts() {
    let moved = COUNTS
        .replace("other,on,off,81", "other,on,off,50")
        .replace("other,on,on,79", "other,on,on,52");
    let result = document(&ARGUMENTS, &moved);
    let design = &result["designs"][0];
    assert_eq!(design["class"], "invalid");
    assert_eq!(design["reasons"][0]["code"], "contaminated_arm");
    assert!(design["effects"].as_array().unwrap().is_empty());
}

#[test]
fn shared_tasks_are_the_units() {
    let result = document(
        &[&DECLARED[..], &["--untouched=old"]].concat(),
        &units(50.0),
    );
    assert_eq!(result["family_size"], 7);
    let of = |name: &str| -> &Value {
        let all = result["comparisons"].as_array().unwrap();
        all.iter()
            .find(|c| c["experiment"].as_str().unwrap().ends_with(name))
            .unwrap_or_else(|| panic!("{name}"))
    };
    let change = |name| {
        of(name)["claim"]["estimate"]["effect"]
            .as_f64()
            .unwrap()
            .exp()
    };
    assert!((change("registry (adaptive off)") - 0.9).abs() < 0.01);
    assert!((change("registry (adaptive on)") - 0.8).abs() < 0.01);
    assert!((change("interaction of registry and adaptive") - 0.8 / 0.9).abs() < 0.01);
    assert_eq!(of("adaptive (registry on)")["claim"]["class"], "moderate");
    assert_eq!(
        of("adaptive (registry off)")["claim"]["outcome"],
        Value::Null
    );
}

#[test]
fn an_untouched_arm_that_moved_refuses_every_effect() {
    let result = document(
        &[&DECLARED[..], &["--untouched=old"]].concat(),
        &units(52.0),
    );
    for i in 0..7 {
        let (class, codes) = verdict(&result, i);
        assert_eq!(
            (class.as_str(), codes[0].as_str()),
            ("invalid", "contaminated_arm")
        );
    }
    // The first factor moved it; the second is not asked.
    let one = [&DECLARED[..], &["--untouched=old=adaptive"]].concat();
    let (class, _) = verdict(&document(&one, &units(52.0)), 0);
    assert_ne!(class, "invalid");
}

#[test]
fn outcomes_of_shared_tasks_are_rates() {
    let mut text = "unit,factor1,factor2,value\n".to_owned();
    for unit in 0..40 {
        for (first, second, share) in [(0, 0, 4), (0, 1, 3), (1, 0, 3), (1, 1, 2)] {
            text.push_str(&format!(
                "{unit},{first},{second},{}\n",
                i32::from(unit % share == 0)
            ));
        }
    }
    let arguments = ["--direction=higher", "--outcomes", "--margin=0.05"];
    let result = document(&arguments, &text);
    let all = result["comparisons"].as_array().unwrap();
    assert_eq!(all.len(), 7);
    assert!(all.iter().all(|c| c["claim"]["class"] != "invalid"));
    assert!(
        all.iter()
            .any(|c| c["claim"]["estimate"]["interval_method"] == "newcombe paired")
    );
}

#[test]
fn designs_that_are_none_are_refused() {
    for (from, to, word) in [
        ("runtime,on,on,90,100\n", "", "a design has four"),
        ("runtime,on,on,90", "runtime,off,off,90", "second count"),
        ("runtime,on,on", "runtime,on,maybe", "`off` or `on`"),
        ("90,100", "9.5,100", "whole number"),
    ] {
        let message = refusal(&ARGUMENTS, COUNTS.replace(from, to).as_bytes());
        assert!(message.contains(word), "{message}");
    }
    let described = refusal(
        &[
            "--describe",
            "--column=factor1=registry",
            "--column=factor2=adaptive",
        ],
        COUNTS.as_bytes(),
    );
    assert!(described.contains("no runs"), "{described}");
    let unknown = [&ARGUMENTS[..4], &["--untouched=nobody"]].concat();
    assert!(refusal(&unknown, COUNTS.as_bytes()).contains("nobody"));
}
