//! What a recorded order says about how it was made.

/// What the first arms of the units, in run order, look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// The same arm always ran first.
    Same,
    /// The arms took turns at being first.
    Turns,
    /// Neither.
    Irregular,
}

/// A coin gives such a pattern once in 128 when there are as many units.
const TELLING: usize = 8;

impl Pattern {
    pub fn of(control_first: &[bool]) -> Self {
        if control_first.windows(2).all(|w| w[0] == w[1]) {
            Self::Same
        } else if control_first.windows(2).all(|w| w[0] != w[1]) {
            Self::Turns
        } else {
            Self::Irregular
        }
    }

    /// Whether a coin is out of the question.
    pub fn contradicts_a_coin(self, units: usize) -> bool {
        self != Self::Irregular && units >= TELLING
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Same => "the same arm ran first in every pair",
            Self::Turns => "the arms took turns at running first",
            Self::Irregular => {
                "the recorded order looks irregular, but nobody said that a coin drew it"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_seen() {
        assert_eq!(Pattern::of(&[true; 4]), Pattern::Same);
        assert_eq!(Pattern::of(&[true, false, true, false]), Pattern::Turns);
        assert_eq!(Pattern::of(&[true, true, false, true]), Pattern::Irregular);
        assert!(!Pattern::Same.contradicts_a_coin(7));
        assert!(Pattern::Turns.contradicts_a_coin(8));
    }
}
