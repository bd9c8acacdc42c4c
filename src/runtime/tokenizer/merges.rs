//! Merging the tokens of a word by rank.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Which pairs of tokens become one, the lowest rank first.
#[derive(Debug, Default)]
pub(super) struct Merges {
    /// Rank and merged token of a pair.
    pairs: HashMap<(u32, u32), (u32, u32)>,
}

/// A token of the word with its living neighbours.
struct Symbol {
    token: u32,
    previous: Option<usize>,
    next: Option<usize>,
    alive: bool,
}

impl Merges {
    /// Adds a merge behind all others; the first of a pair counts.
    pub(super) fn push(&mut self, pair: (u32, u32), merged: u32) {
        let rank = self.pairs.len() as u32;
        self.pairs.entry(pair).or_insert((rank, merged));
    }

    /// The pairs by rank.
    pub(super) fn ranked(&self) -> Vec<(u32, u32)> {
        let mut all: Vec<_> = self
            .pairs
            .iter()
            .map(|(pair, (rank, _))| (*rank, *pair))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, pair)| pair).collect()
    }

    /// Appends a word's tokens: of all pairs the one of the lowest rank is
    /// merged, the leftmost among equals, until none is left. A heap keeps long
    /// words at `n log n`.
    pub(super) fn apply(&self, word: impl ExactSizeIterator<Item = u32>, tokens: &mut Vec<u32>) {
        let len = word.len();
        let mut symbols: Vec<Symbol> = word
            .enumerate()
            .map(|(at, token)| Symbol {
                token,
                previous: at.checked_sub(1),
                next: (at + 1 < len).then_some(at + 1),
                alive: true,
            })
            .collect();
        let mut open: BinaryHeap<Reverse<(u32, usize)>> = (0..len)
            .filter_map(|at| Some(Reverse((self.at(&symbols, at)?.0, at))))
            .collect();
        while let Some(Reverse((rank, at))) = open.pop() {
            // An entry is stale when an earlier merge has changed its pair.
            let Some((_, merged)) = self.at(&symbols, at).filter(|found| found.0 == rank) else {
                continue;
            };
            let gone = symbols[at].next.expect("a pair has two tokens");
            symbols[gone].alive = false;
            let next = symbols[gone].next;
            symbols[at].token = merged;
            symbols[at].next = next;
            if let Some(next) = next {
                symbols[next].previous = Some(at);
            }
            for left in symbols[at].previous.into_iter().chain([at]) {
                if let Some((rank, _)) = self.at(&symbols, left) {
                    open.push(Reverse((rank, left)));
                }
            }
        }
        tokens.extend(symbols.iter().filter(|s| s.alive).map(|s| s.token));
    }

    /// Rank and result of merging the token at a place with the next one.
    fn at(&self, symbols: &[Symbol], at: usize) -> Option<(u32, u32)> {
        let left = symbols.get(at).filter(|symbol| symbol.alive)?;
        let right = &symbols[left.next?];
        self.pairs.get(&(left.token, right.token)).copied()
    }
}
