//! Quantiles of raw samples, descriptions of runs, stop rules, and units that
//! are nearly equal.

use crate::command::{DECLARED, analyze, document, golden, pairs, refusal, verdict};

/// Latencies of some runs, with a tail.
fn requests(runs: usize, n: usize, factor: f64) -> String {
    let mut text = "unit,arm,value\n".to_owned();
    for run in 0..runs {
        for i in 0..n {
            let draw = |k: usize| ((run * 7919 + i * 37 + k).pow(3) % 10_007) as f64 / 10_007.0;
            let value = |u: f64| 10.0 - 3.0 * (1.0 - u + 1e-4).ln();
            let (a, b) = (value(draw(13)), factor * value(draw(501)));
            text.push_str(&format!("{run},base,{a:.4}\n{run},fast,{b:.4}\n"));
        }
    }
    text
}

const TAIL: [&str; 4] = [
    "--control=base",
    "--direction=lower",
    "--metric=latency",
    "--metric-unit=ms",
];

#[test]
fn one_run_per_arm_gives_a_hint_at_most() {
    let arguments = [&TAIL[..], &["--quantile=p95"]].concat();
    let text = requests(1, 2000, 0.8);
    let result = document(&arguments, &text);
    let tail = &result["tails"][0];
    assert_eq!(tail["class"], "directional");
    assert_eq!(tail["outcome"], "improvement");
    assert!(tail["ci95"]["hi"].as_f64().unwrap() < 0.0);
    assert!(result["comparisons"].as_array().unwrap().is_empty());
    let arguments: Vec<&str> = arguments.iter().copied().chain(["-"]).collect();
    golden("one_run_p95.txt", &analyze(&arguments, text.as_bytes()).out);
}

#[test]
fn below_the_floor_there_is_no_quantile() {
    let arguments = [&TAIL[..], &["--quantile=0.99"]].concat();
    let result = document(&arguments, &requests(1, 200, 0.8));
    let tail = &result["tails"][0];
    assert_eq!(tail["class"], "insufficient");
    assert_eq!(tail["reasons"][0]["code"], "quantile_floor");
    assert!(tail["arms"][0]["quantile"].is_null());
    assert!(tail["difference"].is_null());
}

#[test]
fn several_runs_are_the_units() {
    let arguments = [
        &TAIL[..],
        &["--quantile=p95", "--unit=worker", "--margin=1%"],
    ]
    .concat();
    let result = document(&arguments, &requests(12, 1000, 0.8));
    let own = &result["comparisons"][0];
    assert_eq!(own["metric"]["id"], "p95 of latency");
    assert_eq!(own["claim"]["estimate"]["n"], 12);
    assert_eq!(own["claim"]["class"], "directional");
    // Too few requests in every run, however many runs.
    let (class, codes) = verdict(&document(&arguments, &requests(12, 40, 0.8)), 0);
    assert_eq!(class, "insufficient");
    assert!(codes.contains(&"quantile_floor".to_owned()), "{codes:?}");
    let message = refusal(&[&TAIL[..], &["--quantile=p101"]].concat(), b"");
    assert!(message.contains("p99"), "{message}");
}

#[test]
fn descriptions_are_no_claims() {
    let mut text = "unit,arm,metric,repeat,value\n".to_owned();
    for run in 0..8 {
        for repeat in 0..4 {
            let x = 100.0 + f64::from(run * 31 % 7) + 0.1 * f64::from((run * 5 + repeat * 3) % 11);
            let y = f64::from((run * 13 + repeat) % 9);
            text.push_str(&format!("{run},base,latency,{repeat},{x}\n"));
            text.push_str(&format!("{run},base,throughput,{repeat},{}\n", 2.0 * x));
            text.push_str(&format!("{run},base,queue,{repeat},{y}\n"));
        }
    }
    let done = analyze(&["--describe", "-"], text.as_bytes());
    assert_eq!(done.code, 0, "{}", done.err);
    golden("described.txt", &done.out);
    let result = document(&["--describe"], &text);
    let groups = result["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 3);
    assert!(
        groups
            .iter()
            .all(|g| g["n"] == 8 && g["components"].is_object())
    );
    let links = result["links"].as_array().unwrap();
    let refused = links.iter().filter(|l| !l["refused"].is_null()).count();
    assert_eq!((links.len(), refused), (3, 1), "{links:?}");
    for word in ["mprovement", "egression", "arity", "claim-"] {
        assert!(!done.out.contains(word), "{word}");
    }
}

fn with_rule(rule: &str, n: usize) -> (String, Vec<String>) {
    let kept = DECLARED
        .iter()
        .copied()
        .filter(|a| !a.starts_with("--stop-rule"));
    let rule = format!("--stop-rule={rule}");
    let arguments: Vec<&str> = kept.chain([rule.as_str()]).collect();
    verdict(&document(&arguments, &pairs(n, 0.95)), 0)
}

#[test]
fn sequential_rules_are_stop_rules() {
    for rule in ["precision:0.5%", "looks:12,24", "e-process", "looks:6,12"] {
        let (class, codes) = with_rule(rule, 12);
        assert_ne!(class, "invalid", "{rule}");
        let undeclared = codes.contains(&"stop_rule_undeclared".to_owned());
        assert!(!undeclared, "{rule}: {codes:?}");
    }
    // Between looks, and after the last one.
    assert!(
        with_rule("looks:6,24", 12)
            .1
            .contains(&"incomplete".to_owned())
    );
    assert!(
        with_rule("looks:6,10", 12)
            .1
            .contains(&"stop_rule_undeclared".to_owned())
    );
    for wrong in ["fixed", "looks:3", "whenever"] {
        let rule = format!("--stop-rule={wrong}");
        let message = refusal(&[&DECLARED[..2], &[rule.as_str()]].concat(), b"");
        assert!(message.contains("fixed:N"), "{message}");
    }
}

#[test]
fn nearly_equal_units_are_named() {
    let mut text = "unit,arm,value\n".to_owned();
    for unit in 0..12 {
        let slow = if unit == 5 {
            3.0
        } else {
            1.0 + 1e-5 * f64::from(unit)
        };
        text.push_str(&format!("{unit},base,100\n{unit},fast,{}\n", 100.0 * slow));
    }
    let arguments: Vec<&str> = DECLARED.iter().copied().chain(["-"]).collect();
    let (_, codes) = verdict(&document(&DECLARED, &text), 0);
    assert!(codes.contains(&"nearly_tied".to_owned()), "{codes:?}");
    let printed = analyze(&arguments, text.as_bytes()).out;
    assert!(printed.contains("nearly_tied"), "{printed}");
    let (_, codes) = verdict(&document(&DECLARED, &pairs(12, 0.95)), 0);
    assert!(!codes.contains(&"nearly_tied".to_owned()));
}
