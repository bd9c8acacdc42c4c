//! Huge pages change where values lie, never what they are.

use evenhand_kernels::cpu::pages::prefer_huge_pages;

#[test]
fn values_stay_the_same_at_every_size() {
    for len in [0, 1, 1000, (1 << 19) - 1, 1 << 19, (5 << 19) + 17] {
        let values: Vec<f32> = (0..len).map(|i| i as f32).collect();
        let mut moved = values.clone();
        prefer_huge_pages(&mut moved);
        assert_eq!(moved, values, "{len} values");
        prefer_huge_pages(&mut moved[len.min(3)..]);
        assert_eq!(moved, values, "{len} values, from the fourth");
    }
}
