//! The page about the client holds the table of definitions as it is.

use evenhand::serving::metrics::{DEFINITION_VERSION, DEFINITIONS};

#[test]
fn the_page_shows_every_definition() {
    let page = include_str!("../../docs/src/client.md");
    for d in DEFINITIONS {
        let row = format!("| `{}` | {} | {} |", d.id, d.unit, d.formula);
        assert!(page.contains(&row), "docs/src/client.md lacks\n{row}");
    }
    let rows = page.lines().filter(|line| {
        let id = line.strip_prefix("| `").and_then(|l| l.split('`').next());
        id.is_some_and(|id| DEFINITIONS.iter().any(|d| d.id == id))
    });
    assert_eq!(rows.count(), DEFINITIONS.len());
    assert!(page.contains(&format!("definition version {DEFINITION_VERSION}")));
}
