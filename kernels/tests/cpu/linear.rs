//! Linear layers: every instruction set, any tile, any stride.

use evenhand_kernels::bf16;
use evenhand_kernels::cpu::linear::{LinearWeight, Rows, linear, linear_tolerance};
use evenhand_kernels::cpu::matvec::Weight;
use evenhand_kernels::{Isa, inputs, reference};
use proptest::prelude::*;

/// `rows x tokens` of random values, by the given instructions, with gaps of
/// `gap` elements between the rows of everything.
fn compute<W: LinearWeight>(
    isa: Isa,
    (rows, tokens, cols, gap): (usize, usize, usize, usize),
    w: &[W],
    x: &[f32],
) -> Vec<f32> {
    let stride = cols + gap;
    let mut out = vec![f32::NAN; tokens * (rows + gap)];
    linear(
        isa,
        Rows::strided(w, rows, cols, stride),
        Rows::strided(x, tokens, cols, stride),
        &mut out,
        rows + gap,
    );
    for (i, value) in out.iter().enumerate() {
        assert_eq!(
            value.is_nan(),
            i % (rows + gap) >= rows,
            "gaps stay as they are"
        );
    }
    out.retain(|v| !v.is_nan());
    out
}

fn agrees<W: LinearWeight>(shape: (usize, usize, usize, usize), seed: u64) {
    let (rows, tokens, cols, gap) = shape;
    let w = inputs::weights(seed, "tests/w", 1.0, rows * (cols + gap));
    let w: Vec<W> = w.into_iter().map(W::nearest).collect();
    let x = inputs::normal(seed, "tests/x", 1.0, tokens * (cols + gap));
    let mut fused: Option<Vec<f32>> = None;
    for isa in Isa::available() {
        let got = compute(isa, shape, &w, &x);
        for token in 0..tokens {
            let x = &x[token * (cols + gap)..][..cols];
            for row in 0..rows {
                let w = &w[row * (cols + gap)..][..cols];
                let tolerance = linear_tolerance(cols, reference::matvec_magnitude(w, x)[0]);
                let got = f64::from(got[token * rows + row]);
                assert!(
                    tolerance.accepts(got, reference::matvec(w, x)[0]),
                    "{isa}: row {row}, token {token} of {shape:?}"
                );
            }
        }
        if isa == Isa::SCALAR {
            continue;
        }
        // One token alone and all vector units: the same bits.
        for token in 0..tokens {
            let x = &x[token * (cols + gap)..];
            let alone = compute(isa, (rows, 1, cols, gap), &w, x);
            assert_eq!(alone, got[token * rows..][..rows], "{isa}, token {token}");
        }
        assert_eq!(fused.get_or_insert_with(|| got.clone()), &got, "{isa}");
    }
}

#[test]
fn usual_shapes_agree_with_the_reference() {
    for shape in [(64, 1, 256, 0), (9, 50, 64, 0), (7, 13, 768, 3)] {
        agrees::<f32>(shape, 1);
        agrees::<bf16>(shape, 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_shape_agrees_with_the_reference(
        rows in 1usize..10, tokens in 1usize..15, cols in 1usize..70, gap in 0usize..4, seed: u64
    ) {
        agrees::<f32>((rows, tokens, cols, gap), seed);
        agrees::<bf16>((rows, tokens, cols, gap), seed);
    }

    #[test]
    fn zeros_behind_change_no_bit(cols in 1usize..40, zeros in 1usize..40, seed: u64) {
        let mut w = inputs::weights(seed, "tests/w", 1.0, cols);
        let mut x = inputs::normal(seed, "tests/x", 1.0, cols);
        for isa in Isa::available() {
            let short = compute(isa, (1, 1, cols, 0), &w, &x);
            w.resize(cols + zeros, 3.0);
            x.resize(cols + zeros, 0.0);
            prop_assert_eq!(&short, &compute(isa, (1, 1, cols + zeros, 0), &w, &x));
            w.truncate(cols);
            x.truncate(cols);
        }
    }
}

#[test]
#[should_panic(expected = "elements are not")]
fn an_output_that_is_too_short_is_refused() {
    let (w, x) = ([1.0f32; 8], [1.0; 4]);
    linear(
        Isa::detect(),
        Rows::new(&w, 2, 4),
        Rows::new(&x, 1, 4),
        &mut [0.0],
        2,
    );
}

#[test]
#[should_panic(expected = "elements are not")]
fn a_matrix_that_is_too_short_is_refused() {
    let _ = Rows::strided(&[1.0f32; 10], usize::MAX / 4, 4, 8);
}

/// The same bits on every platform: pins the drawing of whole models.
#[test]
fn seeded_weights_are_pinned() {
    let drawn = inputs::weights(1, "tests/pinned", 1.0, 100_000);
    let mean = drawn.iter().map(|&v| f64::from(v)).sum::<f64>() / 1e5;
    let variance = drawn.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 1e5;
    assert!(
        mean.abs() < 0.01 && (variance - 1.0).abs() < 0.01,
        "{mean} {variance}"
    );
    assert!(drawn.iter().all(|v| *v != 0.0 && v.abs() < 3.5));
    let units: Vec<f32> = drawn[..4]
        .iter()
        .map(|v| v / (1.732_050_8 / 131_072.0))
        .collect();
    for unit in units {
        assert!((unit - unit.round()).abs() < 0.02 && unit.round() as i64 % 2 != 0);
    }
    assert_eq!(bf16::nearest(1.0).widen(), 1.0);
}
