use super::{SEEDS, SIZES, assert_agrees};
use evenhand_kernels::cpu::convert::*;
use evenhand_kernels::{Bf16ToF32, F32ToBf16, bf16, reference};
use proptest::prelude::*;

fn narrow(x: &[f32]) -> Vec<bf16> {
    let mut per_element = vec![bf16::NAN; x.len()];
    let mut branch_free = per_element.clone();
    f32_to_bf16_per_element(x, &mut per_element);
    f32_to_bf16_branch_free(x, &mut branch_free);
    for ((x, a), b) in x.iter().zip(&per_element).zip(&branch_free) {
        assert_eq!(a.to_bits(), b.to_bits(), "{x:e}, bits {:08x}", x.to_bits());
    }
    branch_free
}

fn assert_rounds_like_the_reference(x: &[f32]) {
    for (x, got) in x.iter().zip(narrow(x)) {
        let want = reference::round_to_bf16(*x);
        assert_eq!(got.is_nan(), want.is_nan(), "{x:e}");
        if !want.is_nan() {
            assert_eq!(
                got.to_f64().to_bits(),
                want.to_bits(),
                "{x:e} became {got:e}"
            );
        }
    }
}

#[test]
fn variants_agree_with_the_reference() {
    for seed in SEEDS {
        for len in SIZES {
            assert_agrees!(F32ToBf16::new(len, seed), per_element);
            assert_agrees!(F32ToBf16::new(len, seed), branch_free);
            assert_agrees!(Bf16ToF32::new(len, seed), per_element);
            assert_agrees!(Bf16ToF32::new(len, seed), shift);
        }
    }
}

#[test]
fn every_upper_half_with_the_lower_halves_that_matter() {
    let lower = [0x0000, 0x0001, 0x7FFF, 0x8000, 0x8001, 0xFFFF];
    for low in lower {
        let x: Vec<f32> = (0..=0xFFFFu32)
            .map(|high| f32::from_bits(high << 16 | low))
            .collect();
        assert_rounds_like_the_reference(&x);
    }
}

#[test]
fn special_values() {
    let bits = |x: f32| narrow(&[x])[0].to_bits();
    assert_eq!(bits(0.0), 0x0000);
    assert_eq!(bits(-0.0), 0x8000);
    assert_eq!(bits(f32::INFINITY), 0x7F80);
    assert_eq!(bits(f32::NEG_INFINITY), 0xFF80);
    assert_eq!(bits(f32::MAX), 0x7F80);
    assert_eq!(bits(f32::from_bits(0x7F7F_7FFF)), 0x7F7F);
    assert_eq!(bits(f32::from_bits(0x0000_8000)), 0x0000);
    assert_eq!(bits(f32::from_bits(0x0000_8001)), 0x0001);
    assert_eq!(bits(f32::from_bits(0x0001_8000)), 0x0002);
    // A NaN whose payload lies in the half that is cut off stays a NaN.
    assert_eq!(bits(f32::from_bits(0x7F80_0001)), 0x7FC0);
    assert_eq!(bits(f32::from_bits(0xFFFF_FFFF)), 0xFFFF);
}

#[test]
fn every_bf16_widens_exactly() {
    let x: Vec<bf16> = (0..=0xFFFF).map(bf16::from_bits).collect();
    let mut per_element = vec![f32::NAN; x.len()];
    let mut shift = per_element.clone();
    bf16_to_f32_per_element(&x, &mut per_element);
    bf16_to_f32_shift(&x, &mut shift);
    for ((x, a), b) in x.iter().zip(per_element).zip(shift) {
        assert_eq!(b.to_bits(), u32::from(x.to_bits()) << 16);
        let signalling = x.is_nan() && x.to_bits() & 0x0040 == 0;
        let quiet = if signalling { 0x0040_0000 } else { 0 };
        assert_eq!(a.to_bits(), b.to_bits() | quiet, "{:04x}", x.to_bits());
    }
}

proptest! {
    #[test]
    fn arbitrary_bits(bits in prop::collection::vec(any::<u32>(), 1..100)) {
        let x: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        assert_rounds_like_the_reference(&x);
    }

    #[test]
    fn widening_then_narrowing_is_the_identity(bits: u16) {
        let x = bf16::from_bits(bits);
        prop_assume!(!x.is_nan());
        let mut wide = [0.0];
        bf16_to_f32_shift(&[x], &mut wide);
        prop_assert_eq!(narrow(&wide)[0].to_bits(), bits);
    }
}
