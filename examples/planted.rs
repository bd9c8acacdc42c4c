//! A planted difference: the candidate is the control's kernel on
//! `PLANTED_PERCENT` percent more rows, so the truth is known. With 0 there is
//! no difference, and any claim of one is false.
//!
//! `scripts/planted/run.py` runs it many times beside a disturbing process.

use evenhand::prelude::*;
use evenhand_kernels::{MatVec, RowSoftmax};

/// Rows of the control: fine enough for steps of a quarter percent.
const ROWS: usize = 400;

/// The candidate's rows.
fn more_rows() -> usize {
    let percent: f64 = std::env::var("PLANTED_PERCENT")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3.0);
    (ROWS as f64 * (1.0 + percent / 100.0)).round() as usize
}

fn planted(suite: &mut Suite) {
    let rows = more_rows();
    let mat_vec = |rows: usize| {
        move |b: &mut Bencher| {
            b.state(MatVec::<f32>::new(rows, 256, b.seed()))
                .iter(MatVec::row_wise);
        }
    };
    suite
        .experiment("planted/mat_vec")
        .margin(percent(1.0))
        .control("rows", mat_vec(ROWS))
        .candidate("more_rows", mat_vec(rows));
    let softmax = |rows: usize| {
        move |b: &mut Bencher| {
            b.state(RowSoftmax::new(rows, 128, b.seed()))
                .iter(RowSoftmax::three_pass_lanes);
        }
    };
    suite
        .experiment("planted/softmax")
        .margin(percent(1.0))
        .control("rows", softmax(ROWS))
        .candidate("more_rows", softmax(rows));
}

evenhand::main!(planted);
