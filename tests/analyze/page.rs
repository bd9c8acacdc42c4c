//! The examples of the page run as they stand there.

use crate::command::analyze;
use std::path::Path;

#[test]
fn the_examples_of_the_page_run() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/analyze.md");
    let page = std::fs::read_to_string(path).unwrap();
    let examples: Vec<(&str, &str)> = page
        .split("<!-- run:")
        .skip(1)
        .map(|rest| {
            let (arguments, rest) = rest.split_once("-->").unwrap();
            let (_, block) = rest.split_once("```").unwrap();
            let (_, block) = block.split_once('\n').unwrap();
            (arguments, block.split_once("```").unwrap().0)
        })
        .collect();
    assert_eq!(examples.len(), page.matches("```").count() / 2);
    for (arguments, input) in examples {
        let arguments: Vec<&str> = arguments.split_whitespace().chain(["-"]).collect();
        let done = analyze(&arguments, input.as_bytes());
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
        assert!(!done.out.is_empty());
        assert!(!done.out.contains("not used"), "{}", done.out);
    }
}
