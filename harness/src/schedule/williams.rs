//! Williams designs.

/// The rows of a Williams design for `n` treatments: every treatment stands
/// once in every row and follows every other treatment equally often
/// (Williams 1949; `n` rows for even `n`, `2n` for odd `n`).
#[must_use]
pub fn williams_rows(n: usize) -> Vec<Vec<usize>> {
    // 0, 1, n-1, 2, n-2, ...: neighbours differ by each residue once.
    let first: Vec<usize> = (0..n)
        .map(|i| {
            if i % 2 == 1 {
                i.div_ceil(2)
            } else {
                (n - i / 2) % n
            }
        })
        .collect();
    let mut rows: Vec<Vec<usize>> = (0..n)
        .map(|shift| first.iter().map(|x| (x + shift) % n).collect())
        .collect();
    if n % 2 == 1 {
        let reversed: Vec<Vec<usize>> = rows
            .iter()
            .map(|row| row.iter().rev().copied().collect())
            .collect();
        rows.extend(reversed);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arm_follows_every_other_equally_often() {
        for n in 2..=9 {
            let rows = williams_rows(n);
            let mut follows = vec![vec![0; n]; n];
            for row in &rows {
                let mut sorted = row.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..n).collect::<Vec<_>>(), "n = {n}");
                for pair in row.windows(2) {
                    follows[pair[0]][pair[1]] += 1;
                }
            }
            let expected = if n % 2 == 0 { 1 } else { 2 };
            for (a, row) in follows.iter().enumerate() {
                for (b, &count) in row.iter().enumerate() {
                    assert_eq!(
                        count,
                        if a == b { 0 } else { expected },
                        "n = {n}: {a} then {b}"
                    );
                }
            }
        }
    }
}
