//! Seeded prompts.

use bootstrap::Stream;
use std::str::FromStr;

/// How many words a share of the prompts has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Weight among all shares, above zero.
    pub weight: f64,
    /// Fewest words.
    pub least: u32,
    /// Most words, at least `least`.
    pub most: u32,
}

/// A mixture of prompts. Prompt `i` is a function of the mixture, the seed and
/// `i`, and no two begin alike: a prefix cache never finds one in another.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptMix {
    shares: Vec<Share>,
}

/// What is wrong with a mixture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PromptMixError(String);

/// Common words of one or two tokens each.
const WORDS: &[&str] = &[
    "time", "water", "people", "light", "river", "number", "small", "sound", "answer", "paper",
    "group", "learn", "house", "point", "world", "plant", "story", "under", "green", "north",
    "begin", "carry", "state", "watch", "between", "letter", "country", "school", "father",
    "earth", "mountain", "question", "measure", "pattern", "machine", "winter", "morning",
    "several", "produce", "surface", "language", "distance", "system", "island", "wonder",
    "thousand", "village", "correct", "simple", "shape", "reason", "length", "engine", "value",
    "travel", "record", "bridge", "common", "season", "market", "figure", "nature", "garden",
    "window",
];

impl PromptMix {
    /// A mixture of shares.
    ///
    /// # Errors
    /// If it is empty, or a weight or a range of words is unusable.
    pub fn new(shares: Vec<Share>) -> Result<Self, PromptMixError> {
        if shares.is_empty() {
            return Err(PromptMixError("a mixture of prompts needs a share".into()));
        }
        for share in &shares {
            if !(share.weight.is_finite() && share.weight > 0.0) {
                return Err(PromptMixError(format!(
                    "a share's weight is {}; give a number above zero",
                    share.weight
                )));
            }
            if share.least == 0 || share.most < share.least || share.most > 1_000_000 {
                return Err(PromptMixError(format!(
                    "a share has {} to {} words; give 1 to 1000000, the smaller number first",
                    share.least, share.most
                )));
            }
        }
        Ok(Self { shares })
    }

    /// Prompts of `least` to `most` words.
    ///
    /// # Errors
    /// If that range is empty.
    pub fn words(least: u32, most: u32) -> Result<Self, PromptMixError> {
        Self::new(vec![Share {
            weight: 1.0,
            least,
            most,
        }])
    }

    /// Prompt `index` under `seed`. Its first word is its own: it encodes the
    /// index, scrambled by the seed.
    #[must_use]
    pub fn prompt(&self, seed: u64, index: u64) -> String {
        let mut stream = Stream::new(seed, &format!("prompt {index}"));
        let share = self.draw(&mut stream);
        let words = share.least as usize + stream.index((share.most - share.least) as usize + 1);
        let mut prompt = own_word(seed, index);
        for _ in 1..words {
            prompt.push(' ');
            prompt.push_str(WORDS[stream.index(WORDS.len())]);
        }
        prompt
    }

    fn draw(&self, stream: &mut Stream) -> Share {
        let total: f64 = self.shares.iter().map(|s| s.weight).sum();
        let mut left = stream.unit() * total;
        for &share in &self.shares {
            left -= share.weight;
            if left < 0.0 {
                return share;
            }
        }
        self.shares[self.shares.len() - 1]
    }
}

/// A word of eight letters that no other index has under the same seed: the
/// index times an odd number, modulo 2^32, plus an offset, in base 16 letters.
/// The letters that change with every index stand first.
fn own_word(seed: u64, index: u64) -> String {
    let mut stream = Stream::new(seed, "prompt words");
    let (factor, offset) = (stream.next_u64() as u32 | 1, stream.next_u64() as u32);
    let mut code = (index as u32).wrapping_mul(factor).wrapping_add(offset);
    (0..8)
        .map(|_| {
            let letter = b"bcdfghjklmnprstv"[(code & 15) as usize];
            code >>= 4;
            char::from(letter)
        })
        .collect()
}

impl FromStr for PromptMix {
    type Err = String;

    /// `64` words, `32-256` words, or shares with weights: `32-64*3,512*1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |part: &str| {
            format!(
                "`{part}` is no length of prompts: give words as 64 or 32-256, and shares as \
                 32-64*3,512*1"
            )
        };
        let shares = text.split(',').map(|part| {
            let (range, weight) = part.split_once('*').unwrap_or((part, "1"));
            let (least, most) = range.split_once('-').unwrap_or((range, range));
            let number = |s: &str| s.trim().parse::<u32>().map_err(|_| wrong(part));
            Ok(Share {
                weight: weight.trim().parse().map_err(|_| wrong(part))?,
                least: number(least)?,
                most: number(most)?,
            })
        });
        let shares = shares.collect::<Result<_, String>>()?;
        Self::new(shares).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn prompts_begin_differently_and_come_from_the_seed() {
        let mix = PromptMix::words(3, 20).unwrap();
        let firsts: HashSet<String> = (0..5000)
            .map(|i| mix.prompt(9, i).split(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(firsts.len(), 5000);
        assert_eq!(mix.prompt(9, 17), mix.prompt(9, 17));
        assert_ne!(mix.prompt(9, 17), mix.prompt(10, 17));
    }

    #[test]
    fn neighbours_differ_in_their_first_letters() {
        // Sixteen neighbours have sixteen different first letters: the factor is odd.
        let mix = PromptMix::words(1, 1).unwrap();
        let letters: HashSet<char> = (0..16)
            .map(|i| mix.prompt(4, i).chars().next().unwrap())
            .collect();
        assert_eq!(letters.len(), 16);
    }

    #[test]
    fn lengths_follow_the_shares() {
        let mix: PromptMix = "10*3,100-120*1".parse().unwrap();
        let long = (0..4000)
            .map(|i| mix.prompt(1, i).split(' ').count())
            .inspect(|n| assert!(*n == 10 || (100..=120).contains(n)))
            .filter(|&n| n > 10)
            .count();
        // A quarter, within five standard deviations (27 each).
        assert!((863..=1137).contains(&long), "{long}");
    }

    #[test]
    fn wrong_mixtures_are_refused_with_the_part() {
        for wrong in ["", "x", "0", "20-10", "5*0", "5*-1", "5*NaN", "1-2-3"] {
            assert!(wrong.parse::<PromptMix>().is_err(), "{wrong}");
        }
        assert!("8,y".parse::<PromptMix>().unwrap_err().contains("`y`"));
    }
}
