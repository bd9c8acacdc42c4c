use super::*;
use Relation::{Better, Equal, Open, Worse};
use proptest::prelude::*;

/// Relations of cells whose throughput and latency are known exactly, told
/// apart from a margin on.
fn known(cells: &[(f64, f64)], margin: f64) -> Relations {
    let told = |better: f64, worse: f64| {
        let ratio = (better / worse).ln();
        if ratio.abs() <= margin {
            Equal
        } else if ratio > 0.0 {
            Better
        } else {
            Worse
        }
    };
    let mut relations = Relations::open(cells.len());
    for one in 0..cells.len() {
        for other in one + 1..cells.len() {
            let (a, b) = (cells[one], cells[other]);
            relations.set(one, other, [told(a.0, b.0), told(b.1, a.1)]);
        }
    }
    relations
}

fn standings(relations: &Relations) -> Vec<Standing> {
    relations.frontier().into_iter().map(|(s, _)| s).collect()
}

/// A server that works on four requests at once: more users only wait.
#[test]
fn a_saturated_server_has_one_cell_worth_choosing() {
    let cells = [(10.0, 100.0), (40.0, 100.0), (40.0, 200.0), (40.0, 400.0)];
    let relations = known(&cells, 0.05);
    assert_eq!(
        standings(&relations),
        [
            Standing::Dominated,
            Standing::Frontier,
            Standing::Dominated,
            Standing::Dominated
        ]
    );
    assert_eq!(relations.frontier()[2].1, [1], "by whom");
    assert_eq!((relations.best(0), relations.best(1)), (Some(1), Some(1)));
}

#[test]
fn a_trade_off_has_a_frontier_and_a_best_cell_by_each_metric() {
    let relations = known(&[(10.0, 100.0), (30.0, 150.0), (50.0, 400.0)], 0.05);
    assert_eq!(standings(&relations), [Standing::Frontier; 3]);
    assert_eq!((relations.best(0), relations.best(1)), (Some(2), Some(0)));
}

#[test]
fn equal_cells_have_no_best_one() {
    let relations = known(&[(10.0, 100.0); 3], 0.05);
    assert_eq!(standings(&relations), [Standing::Frontier; 3]);
    assert_eq!((relations.best(0), relations.best(1)), (None, None));
    assert_eq!(relations.unbeaten(0), [0, 1, 2]);
}

#[test]
fn nothing_claimed_leaves_every_cell_open() {
    let relations = Relations::open(3);
    for (cell, (standing, others)) in relations.frontier().into_iter().enumerate() {
        assert_eq!(standing, Standing::Open);
        assert_eq!(others.len(), 2, "cell {cell} is told apart from none");
    }
    assert_eq!(relations.best(0), None);
}

/// One claimed difference is not enough while the other metric is open.
#[test]
fn half_a_domination_is_none() {
    let mut relations = Relations::open(2);
    relations.set(0, 1, [Better, Open]);
    assert_eq!(standings(&relations), [Standing::Frontier, Standing::Open]);
    assert_eq!(relations.best(0), Some(0), "by the first metric it is best");
    assert_eq!(relations.best(1), None);
    relations.set(0, 1, [Better, Equal]);
    assert_eq!(
        standings(&relations),
        [Standing::Frontier, Standing::Dominated]
    );
}

/// The textbook Pareto set: no other cell is as good on both and better on one.
fn pareto(cells: &[(f64, f64)]) -> Vec<bool> {
    let dominated = |a: (f64, f64)| {
        cells
            .iter()
            .any(|b| b.0 >= a.0 && b.1 <= a.1 && (b.0 > a.0 || b.1 < a.1))
    };
    cells.iter().map(|&a| !dominated(a)).collect()
}

fn relation() -> impl Strategy<Value = Relation> {
    prop_oneof![Just(Better), Just(Worse), Just(Equal), Just(Open)]
}

fn any_relations() -> impl Strategy<Value = Relations> {
    (1usize..7).prop_flat_map(|cells| {
        let pairs = prop::collection::vec((relation(), relation()), cells * cells);
        pairs.prop_map(move |pairs| {
            let mut relations = Relations::open(cells);
            for one in 0..cells {
                for other in one + 1..cells {
                    let (a, b) = pairs[one * cells + other];
                    relations.set(one, other, [a, b]);
                }
            }
            relations
        })
    })
}

proptest! {
    #[test]
    fn known_cells_have_the_textbook_frontier(
        cells in prop::collection::vec((1u8..6, 1u8..6), 1..8)
    ) {
        let cells: Vec<(f64, f64)> =
            cells.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
        let relations = known(&cells, 0.0);
        let found: Vec<bool> =
            standings(&relations).iter().map(|s| *s == Standing::Frontier).collect();
        prop_assert_eq!(&found, &pareto(&cells));
        prop_assert!(!standings(&relations).contains(&Standing::Open), "all is known");
        if let Some(best) = relations.best(0) {
            prop_assert!(cells.iter().all(|c| c.0 <= cells[best].0));
            prop_assert!(found[best]);
        }
    }

    /// Less that is claimed never adds to what is said of a cell.
    #[test]
    fn forgetting_a_claim_only_opens(
        relations in any_relations(), one in 0usize..7, other in 0usize..7, metric in 0usize..2
    ) {
        let cells = relations.cells;
        let (one, other) = (one % cells, other % cells);
        prop_assume!(one != other);
        let mut less = relations.clone();
        let mut pair = relations.of(one, other);
        pair[metric] = Open;
        less.set(one, other, pair);
        for (before, after) in standings(&relations).into_iter().zip(standings(&less)) {
            prop_assert!(after == before || after == Standing::Open);
        }
        if let Some(best) = less.best(0) {
            prop_assert_eq!(relations.best(0), Some(best));
        }
    }

    /// At most one cell is best, no cell dominates it on what it is best by, and
    /// the names of the cells do not matter.
    #[test]
    fn the_best_cell_is_alone_and_does_not_depend_on_the_order(relations in any_relations()) {
        let cells = relations.cells;
        for by in 0..2 {
            let Some(best) = relations.best(by) else { continue };
            for other in (0..cells).filter(|&o| o != best) {
                prop_assert!(!relations.leads(other, best, by));
                prop_assert!(!relations.dominates(other, best));
            }
            prop_assert_eq!(relations.unbeaten(by), vec![best]);
            let mut mirrored = Relations::open(cells);
            for one in 0..cells {
                for other in one + 1..cells {
                    mirrored.set(cells - 1 - one, cells - 1 - other, relations.of(one, other));
                }
            }
            prop_assert_eq!(mirrored.best(by), Some(cells - 1 - best));
        }
    }
}
