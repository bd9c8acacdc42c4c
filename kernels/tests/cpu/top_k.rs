use super::SEEDS;
use evenhand_kernels::cpu::top_k::*;
use evenhand_kernels::{TokenLogit, TopKSampling, reference};
use proptest::prelude::*;

type TopK = fn(&[f32], usize, &mut Vec<TokenLogit>);
const VARIANTS: [(&str, TopK); 3] = [
    ("full_sort", top_k_full_sort),
    ("select", top_k_select),
    ("heap", top_k_heap),
];

/// Runs all variants into a used buffer and demands the reference's selection.
fn select(logits: &[f32], k: usize) -> Vec<TokenLogit> {
    let want = reference::top_k(logits, k);
    for (name, top_k) in VARIANTS {
        let mut top = vec![
            TokenLogit {
                token: 99,
                logit: 1e9
            };
            3
        ];
        top_k(logits, k, &mut top);
        assert_eq!(top, want, "{name}, k = {k}");
    }
    want
}

fn tokens(top: &[TokenLogit]) -> Vec<u32> {
    top.iter().map(|top| top.token).collect()
}

#[test]
fn variants_agree_with_the_reference() {
    for seed in SEEDS {
        for (vocabulary, k) in [
            (1, 1),
            (7, 3),
            (255, 1),
            (255, 255),
            (4096, 40),
            (1000, 1000),
        ] {
            let mut kernel = TopKSampling::new(vocabulary, k, 0.8, seed);
            let mut outputs = Vec::new();
            for run in [
                TopKSampling::full_sort,
                TopKSampling::select,
                TopKSampling::heap,
            ] {
                kernel.poison();
                run(&mut kernel);
                assert_eq!(kernel.top(), reference::top_k(kernel.input(), k));
                kernel
                    .tolerance()
                    .check(kernel.probabilities(), &kernel.reference())
                    .unwrap();
                outputs.push(kernel.output());
            }
            assert_eq!(outputs[0].len(), 1 + 2 * k);
            assert_eq!(outputs[0], outputs[1]);
            assert_eq!(outputs[0], outputs[2]);
        }
    }
}

#[test]
fn ties_go_to_the_lower_token() {
    assert_eq!(tokens(&select(&[1.0; 9], 4)), [0, 1, 2, 3]);
    assert_eq!(
        tokens(&select(&[0.0, 2.0, 1.0, 2.0, 1.0, 2.0], 4)),
        [1, 3, 5, 2]
    );
}

#[test]
fn k_of_nothing_and_k_beyond_everything() {
    assert!(select(&[3.0, 1.0], 0).is_empty());
    assert_eq!(tokens(&select(&[3.0, 1.0, 2.0], 9)), [0, 2, 1]);
}

#[test]
fn masked_logits_rank_last() {
    let masked = f32::NEG_INFINITY;
    assert_eq!(tokens(&select(&[masked, -1e30, masked, 5.0], 3)), [3, 1, 0]);
}

#[test]
fn selection_reuses_its_buffer() {
    let logits = TopKSampling::new(500, 1, 1.0, 7).input().to_vec();
    for (name, top_k) in VARIANTS {
        let mut top = Vec::with_capacity(logits.len());
        let memory = top.as_ptr();
        for _ in 0..3 {
            top_k(&logits, 40, &mut top);
            assert_eq!(top.as_ptr(), memory, "{name}");
        }
    }
}

#[test]
fn temperature_sharpens_and_flattens() {
    let top = select(&[1.0, 2.0, 0.5, 1.5], 4);
    let at = |temperature| {
        let mut probabilities = [f32::NAN; 4];
        temperature_softmax(&top, temperature, &mut probabilities);
        let want = reference::temperature_softmax(&top, temperature);
        temperature_softmax_tolerance(&top, temperature)
            .check(&probabilities, &want)
            .unwrap();
        probabilities
    };
    assert!(at(0.1)[0] > at(1.0)[0] && at(1.0)[0] > at(10.0)[0]);
    assert!(at(1e6).iter().all(|p| (p - 0.25).abs() < 1e-5));
}

#[test]
fn samples_follow_the_probabilities() {
    let probabilities = [0.5, 0.25, 0.125, 0.125];
    let mut counts = [0; 4];
    for step in 0..1024 {
        counts[sample(&probabilities, step as f32 / 1024.0)] += 1;
    }
    assert_eq!(counts, [512, 256, 128, 128]);
}

#[test]
fn rounding_never_selects_the_impossible() {
    let largest = 1.0 - f32::EPSILON / 2.0;
    assert_eq!(sample(&[0.5, 0.25, 0.0], largest), 1);
    assert_eq!(sample(&[0.0, 1.0, 0.0], 0.0), 1);
    assert_eq!(sample(&[1.0], largest), 0);
}

proptest! {
    #[test]
    fn variants_agree_on_many_ties(
        logits in prop::collection::vec((-3i8..3).prop_map(f32::from), 1..200),
        k in 1usize..200,
    ) {
        select(&logits, k);
    }

    #[test]
    fn variants_agree_on_any_bits(
        bits in prop::collection::vec(any::<u32>(), 1..100),
        k in 1usize..100,
    ) {
        let logits: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        select(&logits, k);
    }

    #[test]
    fn sampling_is_deterministic(seed: u64, vocabulary in 1usize..500) {
        let k = 1 + vocabulary / 3;
        let mut once = TopKSampling::new(vocabulary, k, 1.0, seed);
        let mut again = TopKSampling::new(vocabulary, k, 1.0, seed);
        once.heap();
        again.full_sort();
        prop_assert_eq!(once.output(), again.output());
        prop_assert!(once.top().iter().any(|top| top.token == once.token()));
    }
}
