//! Bits that must never change: a stored seed has to give its old numbers.
//!
//! The words and indices were computed apart from this crate, from the
//! definitions of SHA-256, ChaCha8 and SFC64.

use bootstrap::{
    JointResamples, Stream, clusters, exact, fourier, mean, moments, order_statistics, statistic,
    strata,
};

const X: [f64; 12] = [
    3.5342, 1.2906, 5.7463, 3.4814, 6.3221, 9.2803, 4.3327, 1.0137, 2.2809, 3.4992, 6.0411, 5.987,
];

#[test]
fn stream_words() {
    let mut stream = Stream::new(42, "schedule");
    let words: Vec<u64> = (0..10).map(|_| stream.next_u64()).collect();
    assert_eq!(
        words,
        [
            0x5a03_92a9_f290_a5f2,
            0x2f56_3de9_f154_6cbb,
            0xf2fe_2ce2_1e1c_c768,
            0xde9b_f2e5_37bf_a69e,
            0x91c0_f5ae_6b96_7b31,
            0xf480_9923_6e4e_0aba,
            0x7db4_c0f0_0f12_ac6a,
            0x568b_5c74_e6db_89b9,
            0xf267_f94d_6b2d_9889,
            0x6fd9_2dc0_612f_575a,
        ]
    );
    let mut unnamed = Stream::new(0, "");
    assert_eq!(unnamed.next_u64(), 0x7dbd_c063_a625_2e0a);
}

#[test]
fn stream_mappings() {
    let stream = || Stream::new(42, "x");
    let mut s = stream();
    assert_eq!(
        [0; 12].map(|_| s.index(6)),
        [4, 4, 1, 2, 2, 4, 4, 3, 3, 0, 1, 4]
    );
    let mut s = stream();
    assert_eq!(
        [0; 12].map(|_| u8::from(s.coin())),
        [1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1]
    );
    let mut s = stream();
    assert_eq!(
        [0; 3].map(|_| s.unit()),
        [
            0.681_424_254_064_924_4,
            0.693_706_727_752_818_4,
            0.183_201_955_308_798_57
        ]
    );
    assert_eq!(stream().permutation(10), [0, 5, 7, 4, 8, 2, 3, 1, 9, 6]);
}

#[test]
fn resampling_indices() {
    let first = |n: usize| {
        let rows = JointResamples::draw(n, 12, &mut Stream::new(42, "rows")).unwrap();
        rows.rows()
            .next()
            .unwrap()
            .iter()
            .take(12)
            .copied()
            .collect::<Vec<u32>>()
    };
    assert_eq!(first(36), [29, 16, 17, 6, 28, 16, 4, 23, 31, 28, 27, 9]);
    assert_eq!(
        first(1000),
        [818, 269, 649, 915, 448, 42, 767, 550, 757, 164, 50, 9]
    );
    let rows = JointResamples::draw(7, 3, &mut Stream::new(42, "rows")).unwrap();
    assert_eq!(
        rows.rows().collect::<Vec<_>>(),
        [
            [5, 5, 0, 4, 4, 3, 0],
            [5, 2, 0, 4, 6, 6, 3],
            [2, 6, 1, 5, 6, 1, 1]
        ]
    );
}

/// Bounds as bits, so that a change in the last place shows.
#[test]
fn intervals() {
    let s = || Stream::new(42, "golden");
    let median = |x: &[f64]| moments::median(x).unwrap_or(f64::NAN);
    let groups: [&[f64]; 3] = [&X[..4], &X[4..8], &X[8..]];
    let mean_of = |g: &[&[f64]]| {
        g.iter()
            .map(|x| moments::mean(x).unwrap_or(f64::NAN))
            .sum::<f64>()
    };
    let many: Vec<f64> = (0..1_000).map(|i| f64::from(i * i % 997)).collect();
    let joint = JointResamples::draw(12, 999, &mut s()).unwrap();
    use bootstrap::BootstrapDistribution as _;
    let got = [
        ("mean percentile", mean::percentile(&X, 0.95, 999, &mut s())),
        ("mean basic", mean::basic(&X, 0.95, 999, &mut s())),
        ("mean bca", mean::bca(&X, 0.95, 999, &mut s())),
        (
            "mean bootstrap-t",
            mean::bootstrap_t(&X, 0.95, 999, &mut s()),
        ),
        ("many bca", mean::bca(&many, 0.95, 999, &mut s())),
        (
            "many bootstrap-t",
            mean::bootstrap_t(&many, 0.95, 999, &mut s()),
        ),
        ("exact bca", exact::bca(&X[..8], 0.95)),
        ("exact bootstrap-t", exact::bootstrap_t(&X[..8], 0.95)),
        ("fourier bca", fourier::bca(&X, 0.95)),
        ("joint", joint.means(&X).unwrap().percentile(0.95)),
        (
            "median bca",
            statistic::bca(&X, 0.95, 999, &mut s(), median),
        ),
        (
            "order statistic",
            order_statistics::percentile(&X, 0.7, 0.95, 999, &mut s()),
        ),
        (
            "strata",
            strata::replicates(&groups, 999, &mut s(), mean_of)
                .unwrap()
                .percentile(0.95),
        ),
        (
            "clusters",
            clusters::replicates(&groups, 999, &mut s(), mean_of)
                .unwrap()
                .percentile(0.95),
        ),
        (
            "two levels",
            clusters::two_level(&groups, 999, &mut s(), mean_of)
                .unwrap()
                .percentile(0.95),
        ),
    ]
    .map(|(name, ci)| {
        let ci = ci.unwrap();
        format!("{name}: {:016x} {:016x}", ci.lo.to_bits(), ci.hi.to_bits())
    });
    assert_eq!(
        got.join("\n"),
        include_str!("golden/intervals.txt").trim_end()
    );
}
