//! What is known decides the class; what is not known is named.

use crate::command::{DECLARED, document, pairs, verdict};

fn without(option: &str) -> Vec<&'static str> {
    DECLARED
        .iter()
        .copied()
        .filter(|a| !a.starts_with(option))
        .collect()
}

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [DECLARED.as_slice(), more].concat()
}

/// The pairs with a third column of rows: the control again.
fn with_control_again(n: usize, factor: f64) -> String {
    let mut text = pairs(n, factor);
    let again: String = pairs(n, 1.0)
        .lines()
        .skip(1)
        .filter(|l| l.contains("fast"))
        .map(|l| format!("{}\n", l.replace("fast", "base'")))
        .collect();
    text.push_str(&again);
    text
}

#[test]
fn everything_known_can_be_strong() {
    let result = document(&DECLARED, &with_control_again(12, 0.95));
    let (class, codes) = verdict(&result, 0);
    assert_eq!(class, "strong", "{codes:?}");
    assert_eq!(result["comparisons"][0]["claim"]["outcome"], "improvement");
    assert_eq!(result["control"]["passed"], true);
    assert_eq!(result["comparisons"].as_array().unwrap().len(), 1);
}

#[test]
fn a_control_that_differs_from_itself_refuses() {
    let text = pairs(12, 0.95);
    let again: String = pairs(12, 1.05)
        .lines()
        .filter(|l| l.contains("fast"))
        .map(|l| format!("{}\n", l.replace("fast", "base'")))
        .collect();
    let (class, codes) = verdict(&document(&DECLARED, &format!("{text}{again}")), 0);
    assert_eq!(class, "invalid");
    assert_eq!(codes[0], "aa_failed");
}

#[test]
fn every_gap_caps_and_is_named() {
    let data = pairs(12, 0.95);
    for (option, class, code) in [
        ("--order-randomised", "directional", "order_not_randomised"),
        ("--unit", "directional", "unit_unknown"),
        ("--stop-rule", "directional", "stop_rule_undeclared"),
        ("--margin", "moderate", "margin_undeclared"),
        ("--direction", "invalid", "direction_undeclared"),
        ("--nothing", "moderate", "no_aa_control"),
    ] {
        let got = verdict(&document(&without(option), &data), 0);
        assert_eq!(got.0, class, "without {option}: {:?}", got.1);
        assert!(got.1.iter().any(|c| c == code), "{code} in {:?}", got.1);
    }
}

#[test]
fn an_order_tells_how_it_was_made() {
    let with_order = |first: fn(usize) -> bool| {
        let mut text = "unit,arm,value,order\n".to_owned();
        for (i, pair) in pairs(12, 0.95)
            .lines()
            .skip(1)
            .collect::<Vec<_>>()
            .chunks(2)
            .enumerate()
        {
            for line in pair {
                let fields: Vec<&str> = line.split(',').collect();
                let early = (fields[1] == "base") == first(i);
                text.push_str(&format!(
                    "{},{},{},{}\n",
                    fields[0],
                    fields[1],
                    fields[2],
                    2 - i32::from(early)
                ));
            }
        }
        text
    };
    // A coin that always falls on the same side is none, whatever is declared.
    for pattern in [(|_| true) as fn(usize) -> bool, |i| i % 2 == 0] {
        let (class, codes) = verdict(&document(&DECLARED, &with_order(pattern)), 0);
        assert_eq!(class, "directional");
        assert!(
            codes.contains(&"order_not_randomised".to_owned()),
            "{codes:?}"
        );
    }
    let no_order: String = pairs(12, 0.95)
        .lines()
        .map(|l| format!("{}\n", l.rsplit_once(',').unwrap().0))
        .collect();
    let (_, codes) = verdict(&document(&without("--order"), &no_order), 0);
    assert!(codes.contains(&"order_unknown".to_owned()));
}

#[test]
fn a_stop_rule_is_held_against_the_data() {
    let data = pairs(12, 0.95);
    let rule = |rule: &'static str| {
        let arguments = [without("--stop-rule"), vec![rule]].concat();
        verdict(&document(&arguments, &data), 0)
    };
    assert!(
        rule("--stop-rule=fixed:20")
            .1
            .contains(&"incomplete".to_owned())
    );
    assert!(
        rule("--stop-rule=fixed:8")
            .1
            .contains(&"stop_rule_undeclared".to_owned())
    );
}

#[test]
fn missing_values_are_named_and_counted() {
    let all = pairs(24, 0.95);
    let arguments = [without("--stop-rule"), vec!["--stop-rule=fixed:24"]].concat();
    // One of 24 is a note.
    let gap = all.replacen("7,fast,", "7,fast,#", 1);
    let gap: String = gap
        .lines()
        .map(|l| match l.split_once('#') {
            Some((before, rest)) => format!("{before},{}\n", rest.split_once(',').unwrap().1),
            None => format!("{l}\n"),
        })
        .collect();
    let result = document(&arguments, &gap);
    let (class, codes) = verdict(&result, 0);
    assert_eq!(class, "moderate", "{codes:?}");
    assert!(codes.contains(&"not_measured".to_owned()));
    let own = &result["comparisons"][0];
    assert_eq!(own["excluded_units"], 1);
    assert_eq!(own["excluded"][0]["unit"], "7");
    assert_eq!(own["claim"]["estimate"]["n"], 23);
    // Three of 24 refuse.
    let gaps: String = all
        .lines()
        .filter(|l| {
            !["3,fast", "9,base", "20,fast"]
                .iter()
                .any(|g| l.starts_with(g))
        })
        .map(|l| format!("{l}\n"))
        .collect();
    let result = document(&arguments, &gaps);
    assert_eq!(verdict(&result, 0).0, "invalid");
    assert_eq!(result["comparisons"][0]["excluded_units"], 3);
}

#[test]
fn one_pair_is_a_reading() {
    let result = document(&DECLARED, &pairs(1, 0.9));
    let (class, codes) = verdict(&result, 0);
    assert_eq!(class, "insufficient");
    assert!(codes.contains(&"too_few_workers".to_owned()));
    assert!(result["comparisons"][0]["claim"]["estimate"]["ci95"].is_null());
}

#[test]
fn outcomes_are_rates() {
    let mut text = "unit,arm,value\n".to_owned();
    for i in 0..100 {
        text.push_str(&format!(
            "{i},base,{}\n{i},fast,{}\n",
            i32::from(i % 3 != 0),
            i32::from(i % 10 != 0)
        ));
    }
    let arguments = [
        "--control=base",
        "--direction=higher",
        "--outcomes",
        "--margin=0.05",
        "--unit=worker",
        "--order-randomised",
        "--stop-rule=fixed:100",
        "--metric=success",
    ];
    let result = document(&arguments, &text);
    let claim = &result["comparisons"][0]["claim"];
    assert_eq!(claim["class"], "moderate");
    assert_eq!(claim["estimate"]["outcomes"]["candidate"], 90);
    assert_eq!(claim["estimate"]["outcomes"]["control"], 66);
    assert_eq!(claim["estimate"]["p_method"], "mcnemar exact");
    assert_eq!(claim["estimate"]["interval_method"], "newcombe paired");
    let sentence = claim["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("90 of 100") && sentence.contains("24 points"),
        "{sentence}"
    );
    let (class, codes) = verdict(&document(&arguments, &text.replacen(",1\n", ",2\n", 1)), 0);
    assert_eq!(
        (class.as_str(), codes[0].as_str()),
        ("invalid", "non_finite")
    );
}

#[test]
fn blocks_and_repeats_are_not_units() {
    let mut text = "unit,arm,value,repeat\n".to_owned();
    for unit in 0..4 {
        for repeat in 0..10 {
            let x = 100 + (unit * 31 + repeat * 17) % 7;
            text.push_str(&format!(
                "{unit},base,{x},{repeat}\n{unit},fast,{},{repeat}\n",
                x - 9
            ));
        }
    }
    for name in ["repeat", "block"] {
        let result = document(&with(&[]), &text.replace("repeat", name));
        let claim = &result["comparisons"][0]["claim"];
        assert_eq!(claim["estimate"]["n"], 4, "{name}");
        assert_eq!(claim["class"], "insufficient");
    }
}
