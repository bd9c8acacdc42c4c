//! Fast dice: many small indices from few random words.

use crate::Stream;

/// SFC64 (Doty-Humphrey, PractRand; also in NumPy), its state taken from a
/// [`Stream`]. Resampling needs millions of indices, and ChaCha costs more
/// than the rest of the work; the state still depends on seed and label
/// through SHA-256 and ChaCha8 only.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    a: u64,
    b: u64,
    c: u64,
    counter: u64,
}

impl Dice {
    /// Takes three words from the stream, then mixes twelve times as the
    /// reference does.
    pub fn new(stream: &mut Stream) -> Self {
        let mut dice = Self {
            a: stream.next_u64(),
            b: stream.next_u64(),
            c: stream.next_u64(),
            counter: 1,
        };
        for _ in 0..12 {
            dice.word();
        }
        dice
    }

    #[inline(always)]
    pub fn word(&mut self) -> u64 {
        let word = self.a.wrapping_add(self.b).wrapping_add(self.counter);
        self.counter = self.counter.wrapping_add(1);
        self.a = self.b ^ (self.b >> 11);
        self.b = self.c.wrapping_add(self.c << 3);
        self.c = self.c.rotate_left(24).wrapping_add(word);
        word
    }

    /// `K` independent indices below `sides` from one word (Brackett-Rozinsky
    /// & Lemire 2024, without rejection): each product's high half is an
    /// index, its low half the fraction for the next. See [`per_word`].
    #[inline(always)]
    pub fn indices<const K: usize>(&mut self, sides: u64) -> [usize; K] {
        self.indices_of([sides; K])
    }

    /// The same with sides of their own.
    #[inline(always)]
    pub fn indices_of<const K: usize>(&mut self, sides: [u64; K]) -> [usize; K] {
        let mut fraction = self.word();
        sides.map(|sides| {
            let product = u128::from(fraction) * u128::from(sides);
            fraction = product as u64;
            (product >> 64) as usize
        })
    }

    /// Calls `visit` with `count` indices below `sides`.
    #[inline]
    pub fn each(&mut self, count: usize, sides: u64, visit: impl FnMut(usize)) {
        match per_word(sides) {
            1 => self.each_by::<1>(count, sides, visit),
            2 => self.each_by::<2>(count, sides, visit),
            3 => self.each_by::<3>(count, sides, visit),
            4 => self.each_by::<4>(count, sides, visit),
            _ => self.each_by::<5>(count, sides, visit),
        }
    }

    #[inline(always)]
    fn each_by<const K: usize>(&mut self, count: usize, sides: u64, mut visit: impl FnMut(usize)) {
        for _ in 0..count / K {
            self.indices::<K>(sides).into_iter().for_each(&mut visit);
        }
        if !count.is_multiple_of(K) {
            self.indices::<K>(sides)[..count % K]
                .iter()
                .copied()
                .for_each(&mut visit);
        }
    }

    /// Fills `row` with indices below `sides`.
    pub fn fill(&mut self, row: &mut [u32], sides: u64) {
        let mut slots = row.iter_mut();
        self.each(slots.len(), sides, |index| {
            if let Some(slot) = slots.next() {
                *slot = index as u32;
            }
        });
    }

    /// A number in the open interval (0, 1), so that its logarithm exists.
    pub fn open_unit(&mut self) -> f64 {
        ((self.word() >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64)
    }
}

/// How many indices below `sides` one word yields, 1 to 5: as long as the
/// number of outcomes stays below 2^42, so that no outcome's probability is
/// off by more than one part in 2^22.
pub(crate) fn per_word(sides: u64) -> usize {
    let mut outcomes = u128::from(sides);
    let mut indices = 1;
    while indices < 5 {
        outcomes *= u128::from(sides);
        if outcomes > 1 << 42 {
            break;
        }
        indices += 1;
    }
    indices
}
