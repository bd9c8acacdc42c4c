//! Files that can't be read say where and why, and what to do.

use crate::command::{DECLARED, analyze, document, pairs, refusal, verdict};

fn says(arguments: &[&str], input: &[u8], words: &[&str]) {
    let message = refusal(arguments, input);
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message}");
    }
}

const A: [&str; 3] = ["--control=a", "--direction=lower", "--margin=1%"];

#[test]
fn csv_errors_name_line_and_column() {
    says(&A, b"", &["empty"]);
    says(&A, b" \n\n", &["empty"]);
    says(&A, b"unit,arm,value\n", &["no row below"]);
    says(&A, b"unit,arm,value\n1,a\n", &["line 2", "2 fields", "3"]);
    says(
        &A,
        b"unit,arm,value\n1,a,3\n1,b,x\n",
        &["line 3, column 3", "`x` is no number"],
    );
    says(
        &A,
        b"unit,arm,value\n1,a,\"1,5\"\n",
        &["line 2", "decimal point"],
    );
    says(
        &A,
        b"unit,arm,value\n,a,1\n",
        &["line 2, column 1", "no name"],
    );
    says(
        &A,
        b"unit,arm,value\n1,,1\n",
        &["line 2, column 2", "no name"],
    );
    says(
        &A,
        b"unit,arm\n1,a\n",
        &["no column `value`", "`unit`, `arm`", "--column"],
    );
    says(&A, b"unit,arm,value,value\n1,a,1,2\n", &["two columns"]);
    says(&A, b"unit;arm;value\n1;a;1\n", &["';'", "--delimiter"]);
    says(
        &A,
        b"unit\tarm\tvalue\n1\ta\t1\n",
        &["tab", "--delimiter tab"],
    );
    says(
        &A,
        b"unit,arm,value\n1,a,\xff\n",
        &["line 2, column 3", "UTF-8"],
    );
    says(&A, b"\xff\xfeu\0", &["UTF-16"]);
    says(
        &A,
        b"unit,arm,value,order\n1,a,1,noon\n",
        &["line 2, column 4", "no order"],
    );
    says(
        &A,
        b"unit,arm,value,state\n1,a,1,guessed\n",
        &["line 2, column 4", "no state"],
    );
    says(
        &A,
        b"unit,arm,value\n1,a,1\n1,b,2\n1,a,3\n",
        &["line 4", "second value", "line 2"],
    );
}

#[test]
fn json_errors_name_line_and_column() {
    says(&A, b"[", &["line 1, column 1"]);
    says(&A, b"[]", &["no observation"]);
    says(
        &A,
        b"[{\"unit\":1,\"arm\":\"a\",\n\"value\":\"x\"}]",
        &["line 2", "invalid type"],
    );
    says(
        &A,
        b"[{\"unit\":1,\"value\":1}]",
        &["observation 1 has no `arm`"],
    );
    says(
        &A,
        b"[{\"unit\":1,\"arm\":\"a\",\"value\":1e999}]",
        &["line 1", "out of range"],
    );
    says(&A, b"{}", &["no `schema`", "evenhand.pairs/1.0"]);
    says(
        &A,
        b"{\"schema\":\"evenhand.pairs/2.0\"}",
        &["evenhand.pairs/2.0", "version"],
    );
    says(
        &A,
        b"{\"schema\":\"evenhand.plan/1.0\"}",
        &["evenhand.plan/1.0"],
    );
    says(
        &A,
        b"[{\"unit\":1,\"arm\":\"a\",\"value\":1}]\n[]",
        &["trailing", "--batch"],
    );
}

#[test]
fn declarations_are_checked() {
    let two = b"unit,arm,value\n1,a,1\n1,b,2\n";
    says(&[], two, &["--control", "`a`, `b`"]);
    says(&["--control=c"], two, &["no row has the arm `c`"]);
    says(
        &["--control=a"],
        b"unit,arm,value\n1,a,1\n",
        &["nothing to compare"],
    );
    says(&["--control=a", "--margin=0%"], two, &["not above zero"]);
    says(
        &["--control=a", "--margin=1ms"],
        two,
        &["margin is in `ms`"],
    );
    says(
        &["--control=a", "--direction=up"],
        two,
        &["`up` is no direction"],
    );
    says(&["--control=a", "--unit=run"], two, &["`run` is no unit"]);
    says(&["--control=a", "--stop-rule=10"], two, &["fixed:N"]);
    says(
        &["--control=a", "--outcomes", "--estimand=ratio"],
        two,
        &["rates"],
    );
}

#[test]
fn a_missing_file_is_a_usage_error() {
    let done = analyze(&["no/such/file.csv"], b"");
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("no/such/file.csv can't be read"),
        "{}",
        done.err
    );
}

#[test]
fn the_same_data_in_every_dress_give_the_same_claim() {
    let long = pairs(12, 0.95);
    let claim = |arguments: &[&str], input: &str| {
        document(arguments, input)["comparisons"][0]["claim"].clone()
    };
    let plain = claim(&DECLARED, &long);
    assert_eq!(plain["class"], "moderate");

    let windows = format!("\u{feff}{}", long.replace('\n', "\r\n"));
    assert_eq!(claim(&DECLARED, &windows), plain, "BOM and CRLF");
    let semicolons = long.replace(',', ";");
    let with = |more: &[&'static str]| [DECLARED.as_slice(), more].concat();
    assert_eq!(
        claim(&with(&["--delimiter=;"]), &semicolons),
        plain,
        "semicolons"
    );
    let named = long.replacen("unit,arm,value", "Run,Variant,latency", 1);
    let columns = [
        "--column=unit=run",
        "--column=arm=variant",
        "--column=value=latency",
    ];
    assert_eq!(claim(&with(&columns), &named), plain, "named columns");

    let rows: Vec<Vec<&str>> = long
        .lines()
        .skip(1)
        .map(|l| l.split(',').collect())
        .collect();
    let json: Vec<serde_json::Value> = rows
        .iter()
        .map(|r| {
            let number = |t: &str| t.parse::<f64>().unwrap();
            serde_json::json!({"unit": r[0], "arm": r[1], "value": number(r[2]), "order": number(r[3])})
        })
        .collect();
    assert_eq!(
        claim(&DECLARED, &serde_json::json!(json).to_string()),
        plain,
        "JSON"
    );

    let mut wide = "unit,base,fast,first\n".to_owned();
    for pair in rows.chunks(2) {
        let first = if pair[0][3] == "1" { "base" } else { "fast" };
        wide.push_str(&format!(
            "{},{},{},{first}\n",
            pair[0][0], pair[0][2], pair[1][2]
        ));
    }
    assert_eq!(claim(&with(&["--candidate=fast"]), &wide), plain, "wide");
}

#[test]
fn a_batch_goes_on_after_a_bad_line() {
    let good = r#"[{"unit":1,"arm":"a","value":1},{"unit":1,"arm":"b","value":2}]"#;
    let input = format!("{good}\n{{\"schema\":\n\n{good}\n");
    let done = analyze(
        &["--batch", "--control=a", "--direction=lower", "-"],
        input.as_bytes(),
    );
    assert_eq!(done.code, 2);
    assert!(done.err.contains("1 of 3 lines"), "{}", done.err);
    let lines: Vec<serde_json::Value> = done
        .out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(verdict(&lines[0], 0).0, "insufficient");
    assert_eq!(lines[1]["line"], 2);
    assert!(lines[1]["error"].is_string());
    assert_eq!(lines[2]["line"], 4);
    assert_eq!(verdict(&lines[2], 0).0, "insufficient");
}

#[test]
fn unknown_columns_are_named() {
    let input = "unit,arm,value,colour\n1,a,1,red\n1,b,2,red\n";
    let result = document(&A, input);
    assert_eq!(result["ignored"], serde_json::json!(["colour"]));
}
