//! What must hold. A cell breaks a bound when its count would be an accident
//! of less than one in ten thousand at the bound itself.

use super::runner::{Cell, Table};
use super::tally::Event;
use crate::harness::estimate::special::{binomial_cdf, binomial_sf};

/// A bound that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// Where: table, row, number of units.
    pub cell: String,
    /// What was counted.
    pub event: Event,
    /// How often.
    pub count: u64,
    /// Out of how many.
    pub replications: u64,
    /// What was promised.
    pub bound: f64,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = 100.0 * self.count as f64 / self.replications as f64;
        write!(
            f,
            "{}: {:?} in {} of {} ({rate:.1} %), promised {:.1} %",
            self.cell,
            self.event,
            self.count,
            self.replications,
            100.0 * self.bound
        )
    }
}

/// Accidents that a check tolerates.
const ACCIDENT: f64 = 1e-4;

/// Checks every bound in every cell, and over all cells of a table together,
/// where smaller excesses show.
///
/// # Errors
/// All breaches.
pub fn check(cells: &[Cell]) -> Result<(), Vec<Breach>> {
    let mut breaches = Vec::new();
    for cell in cells.iter().filter(|c| c.bound) {
        let name = format!("{:?}, {}, n = {}", cell.table, cell.row, cell.n);
        for (event, bound) in at_most(cell) {
            let count = cell.tally.count(event).unwrap_or(0);
            breaches.extend(too_many(
                &name,
                event,
                count,
                cell.tally.replications,
                bound,
            ));
        }
        for (event, bound) in at_least(cell) {
            let count = cell.tally.count(event).unwrap_or(0);
            breaches.extend(too_few(&name, event, count, cell.tally.replications, bound));
        }
    }
    breaches.extend(together(cells));
    if breaches.is_empty() {
        Ok(())
    } else {
        Err(breaches)
    }
}

/// Promised upper bounds.
fn at_most(cell: &Cell) -> Vec<(Event, f64)> {
    match cell.table {
        // One process: its interval speaks of that process, not of the arms.
        Table::FalseClaims if cell.row.starts_with("one process") => {
            vec![(Event::Strong, 0.01), (Event::ModerateOrBetter, 0.05)]
        }
        Table::FalseClaims => vec![
            (Event::Strong, 0.01),
            (Event::OnePercent, 0.01),
            (Event::ModerateOrBetter, 0.05),
            (Event::Miss, 0.06),
        ],
        // The arms differ, so the coin proves nothing about their means: the
        // approximate interval carries these.
        Table::Shapes => vec![(Event::Strong, 0.04), (Event::Miss, 0.11)],
        Table::Parity if cell.row.ends_with("at the margin") => vec![(Event::Parity, 0.065)],
        Table::Families => vec![
            (Event::Strong, 0.05),
            (Event::ModerateOrBetter, 0.05),
            (Event::MaxT, 0.05),
        ],
        Table::Sequential => vec![(Event::Claimed, 0.05)],
        Table::Power | Table::PowerPercent | Table::Parity => Vec::new(),
    }
}

/// Promised power on normal noise: what the hull of t and bootstrap-t finds.
fn at_least(cell: &Cell) -> Vec<(Event, f64)> {
    if cell.table != Table::Power || !cell.row.starts_with("normal, ") {
        return Vec::new();
    }
    let promised = match (
        cell.n,
        cell.row.contains("1.5 sd"),
        cell.row.contains("1 sd"),
    ) {
        (8, false, true) => 0.55,
        (8, true, _) => 0.85,
        (12, false, true) => 0.80,
        (12, true, _) => 0.96,
        (24, false, true) => 0.97,
        (24 | 36, true, _) | (36, false, true) => 0.99,
        _ => return Vec::new(),
    };
    vec![(Event::ModerateOrBetter, promised)]
}

/// The same bounds over all honest cells of a number of units.
fn together(cells: &[Cell]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let honest = |c: &&Cell| c.bound && c.table == Table::FalseClaims;
    for event in [Event::Strong, Event::OnePercent, Event::ModerateOrBetter] {
        let bound = if event == Event::ModerateOrBetter {
            0.05
        } else {
            0.01
        };
        let counted = cells.iter().filter(honest);
        let (count, replications) = counted.fold((0, 0), |(count, all), c| {
            (
                count + c.tally.count(event).unwrap_or(0),
                all + c.tally.replications,
            )
        });
        let name = "all scenarios with equal arms together";
        breaches.extend(too_many(name, event, count, replications, bound));
    }
    breaches
}

fn too_many(cell: &str, event: Event, count: u64, of: u64, bound: f64) -> Option<Breach> {
    let accident = count == 0 || binomial_sf(count - 1, of, bound) >= ACCIDENT;
    (!accident).then(|| breach(cell, event, count, of, bound))
}

fn too_few(cell: &str, event: Event, count: u64, of: u64, bound: f64) -> Option<Breach> {
    let accident = binomial_cdf(count, of, bound) >= ACCIDENT;
    (!accident).then(|| breach(cell, event, count, of, bound))
}

fn breach(cell: &str, event: Event, count: u64, replications: u64, bound: f64) -> Breach {
    Breach {
        cell: cell.to_owned(),
        event,
        count,
        replications,
        bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_no_accident_is_a_breach() {
        assert!(too_many("", Event::Strong, 10, 1000, 0.01).is_none());
        assert!(too_many("", Event::Strong, 18, 1000, 0.01).is_none());
        assert!(too_many("", Event::Strong, 30, 1000, 0.01).is_some());
        assert!(too_few("", Event::Strong, 780, 1000, 0.8).is_none());
        assert!(too_few("", Event::Strong, 700, 1000, 0.8).is_some());
    }
}
