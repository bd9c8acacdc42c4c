//! The inside of a JSON string, byte by byte.
//!
//! Characters stand for themselves; only `"`, `\` and control characters are
//! escaped, by their short form.

/// Where the reading stands after the opening quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    min: usize,
    max: usize,
    chars: usize,
    inside: Inside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Nothing,
    Escape,
    /// Continuation bytes still to come, and the range of the next.
    Character {
        left: u8,
        low: u8,
        high: u8,
    },
}

/// What a byte did to a string.
pub(super) enum Read {
    /// The string goes on.
    On(Text),
    /// The byte closed it.
    Closed,
    /// The byte may not come here.
    Refused,
}

impl Text {
    pub(super) fn new(min: usize, max: usize) -> Self {
        Self {
            min,
            max,
            chars: 0,
            inside: Inside::Nothing,
        }
    }

    pub(super) fn read(mut self, byte: u8) -> Read {
        match self.inside {
            Inside::Nothing => match byte {
                b'"' if self.chars >= self.min => return Read::Closed,
                b'"' => return Read::Refused,
                _ if self.chars == self.max => return Read::Refused,
                b'\\' => self.inside = Inside::Escape,
                0x20..=0x7E => self.chars += 1,
                _ => match lead(byte) {
                    Some(inside) => self.inside = inside,
                    None => return Read::Refused,
                },
            },
            Inside::Escape => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                    self.chars += 1;
                    self.inside = Inside::Nothing;
                }
                _ => return Read::Refused,
            },
            Inside::Character { left, low, high } => {
                if !(low..=high).contains(&byte) {
                    return Read::Refused;
                }
                self.inside = if left == 1 {
                    self.chars += 1;
                    Inside::Nothing
                } else {
                    Inside::Character {
                        left: left - 1,
                        low: 0x80,
                        high: 0xBF,
                    }
                };
            }
        }
        Read::On(self)
    }

    /// Bytes of the shortest way to the closing quote, that included.
    pub(super) fn shortest(self) -> usize {
        let (open, begun) = match self.inside {
            Inside::Nothing => (0, 0),
            Inside::Escape => (1, 1),
            Inside::Character { left, .. } => (usize::from(left), 1),
        };
        open + self.min.saturating_sub(self.chars + begun) + 1
    }
}

/// The first byte of a character of several (Unicode 16, table 3-7).
fn lead(byte: u8) -> Option<Inside> {
    let (left, low, high) = match byte {
        0xC2..=0xDF => (1, 0x80, 0xBF),
        0xE0 => (2, 0xA0, 0xBF),
        0xE1..=0xEC | 0xEE..=0xEF => (2, 0x80, 0xBF),
        0xED => (2, 0x80, 0x9F),
        0xF0 => (3, 0x90, 0xBF),
        0xF1..=0xF3 => (3, 0x80, 0xBF),
        0xF4 => (3, 0x80, 0x8F),
        _ => return None,
    };
    Some(Inside::Character { left, low, high })
}
