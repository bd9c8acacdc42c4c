//! Several comparisons in one file are a family.

use crate::command::{DECLARED, document, pairs, verdict};

/// The same pairs as several experiments or metrics.
fn several(column: &str, factors: &[f64]) -> String {
    let mut text = format!("unit,arm,value,order,{column}\n");
    for (i, factor) in factors.iter().enumerate() {
        for line in pairs(12, *factor).lines().skip(1) {
            text.push_str(&format!("{line},{column}{i}\n"));
        }
    }
    text
}

#[test]
fn experiments_share_alpha() {
    let alone = document(&DECLARED, &pairs(12, 0.95));
    let result = document(&DECLARED, &several("experiment", &[0.95; 30]));
    assert_eq!(result["family_size"], 30);
    let p = |r: &serde_json::Value, key: &str| {
        r["comparisons"][0]["claim"]["estimate"][key]
            .as_f64()
            .unwrap()
    };
    assert_eq!(p(&alone, "p"), p(&alone, "p_adjusted"));
    assert!((p(&result, "p_adjusted") - 30.0 * p(&result, "p")).abs() < 1e-9);
    // A family of 200 is too much for 12 units.
    let result = document(&DECLARED, &several("experiment", &[0.95; 200]));
    let (class, codes) = verdict(&result, 0);
    assert_eq!(class, "directional");
    assert!(codes.contains(&"multiplicity".to_owned()));
}

#[test]
fn secondary_metrics_are_a_family_of_their_own() {
    let data = several("metric", &[0.95, 0.95, 0.95]);
    let mut arguments: Vec<&str> = DECLARED
        .iter()
        .copied()
        .filter(|a| !a.starts_with("--metric=") && !a.starts_with("--direction"))
        .collect();
    arguments.extend([
        "--metric=metric1",
        "--direction=metric0=lower",
        "--direction=metric1=lower",
        "--direction=metric2=lower",
    ]);
    let result = document(&arguments, &data);
    assert_eq!(result["family_size"], 1);
    let secondary: Vec<bool> = result["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["secondary"].as_bool().unwrap())
        .collect();
    assert_eq!(secondary, [true, false, true]);
    // Metrics that move together cost nothing under joint flips.
    let own = &result["comparisons"][0]["claim"]["estimate"];
    assert_eq!(own["p"], own["p_adjusted"]);
    // Without a primary one, all count.
    arguments.retain(|a| !a.starts_with("--metric="));
    assert_eq!(document(&arguments, &data)["family_size"], 3);
}

/// Three repeats on each of several profiles.
fn profiles(factors: &[f64]) -> String {
    let mut text = "unit,arm,value,order,profile\n".to_owned();
    for (i, factor) in factors.iter().enumerate() {
        let shifted: Vec<String> = pairs(12, *factor)
            .lines()
            .skip(1 + 6 * (i % 4))
            .take(6)
            .map(|l| format!("{l},p{i}\n"))
            .collect();
        text.push_str(&shifted.concat());
    }
    text
}

#[test]
fn small_profiles_make_one_statement_together() {
    let arguments: Vec<&str> = DECLARED
        .iter()
        .copied()
        .map(|a| {
            if a.starts_with("--stop-rule") {
                "--stop-rule=fixed:3"
            } else {
                a
            }
        })
        .collect();
    let result = document(&arguments, &profiles(&[0.95, 0.9, 0.93, 0.97]));
    for own in 0..4 {
        assert_eq!(verdict(&result, own).0, "insufficient");
    }
    let all = &result["overall"][0];
    assert_eq!(all["class"], "moderate", "{all}");
    assert_eq!((&all["profiles"], &all["units"]), (&4.into(), &12.into()));
    assert_eq!(all["outcome"], "improvement");
    // Profiles that pull to both sides are no overall statement.
    let result = document(&arguments, &profiles(&[0.9, 1.05, 1.03, 1.01]));
    assert_eq!(result["overall"][0]["class"], "noise_dominated");
    // Without an order it is a hint at most.
    let unordered: Vec<&str> = arguments
        .iter()
        .copied()
        .filter(|a| *a != "--order-randomised")
        .collect();
    let result = document(&unordered, &profiles(&[0.95, 0.9, 0.93, 0.97]));
    assert_eq!(result["overall"][0]["class"], "directional");
}
