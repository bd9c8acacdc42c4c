//! From tokens to text as it becomes complete.

/// Joins the bytes of tokens to whole characters and watches for stop texts.
///
/// Bytes that can't become a character turn into U+FFFD, as
/// [`String::from_utf8_lossy`] has it. Text that may be the beginning of a stop
/// text is held back until that is decided.
#[derive(Debug)]
pub struct TextAssembler {
    stops: Vec<String>,
    bytes: Vec<u8>,
    held: String,
}

impl TextAssembler {
    /// Watches for these texts; empty ones are ignored.
    #[must_use]
    pub fn new(stops: &[String]) -> Self {
        Self {
            stops: stops.iter().filter(|s| !s.is_empty()).cloned().collect(),
            bytes: Vec::new(),
            held: String::new(),
        }
    }

    /// Takes in the bytes of a token. Returns the text that became certain,
    /// and whether a stop text follows it: then nothing comes after.
    pub fn push(&mut self, bytes: &[u8]) -> (String, bool) {
        self.bytes.extend_from_slice(bytes);
        let mut used = 0;
        let total = self.bytes.len();
        for chunk in self.bytes.utf8_chunks() {
            self.held.push_str(chunk.valid());
            used += chunk.valid().len();
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            if used + invalid.len() == total && may_become_character(invalid) {
                break;
            }
            self.held.push('\u{FFFD}');
            used += invalid.len();
        }
        self.bytes.drain(..used);
        self.release()
    }

    /// The rest, when nothing comes after.
    pub fn finish(&mut self) -> String {
        let mut rest = std::mem::take(&mut self.held);
        rest.push_str(&String::from_utf8_lossy(&self.bytes));
        self.bytes.clear();
        rest
    }

    fn release(&mut self) -> (String, bool) {
        let first = self.stops.iter().filter_map(|s| self.held.find(s)).min();
        if let Some(at) = first {
            let text = self.held[..at].to_owned();
            self.held.clear();
            self.bytes.clear();
            return (text, true);
        }
        let keep = self
            .stops
            .iter()
            .map(|stop| overlap(&self.held, stop))
            .max()
            .unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - keep);
        (std::mem::replace(&mut self.held, rest), false)
    }
}

/// Whether more bytes can make a character of an incomplete one.
fn may_become_character(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|e| e.error_len().is_none())
}

/// Length of the longest end of `text` that is a beginning of `stop`.
fn overlap(text: &str, stop: &str) -> usize {
    (1..stop.len())
        .rev()
        .find(|&at| stop.is_char_boundary(at) && text.ends_with(&stop[..at]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assemble(pieces: &[&[u8]], stops: &[&str]) -> (Vec<String>, bool) {
        let stops: Vec<String> = stops.iter().map(|s| (*s).to_owned()).collect();
        let mut text = TextAssembler::new(&stops);
        let mut out = Vec::new();
        for piece in pieces {
            let (part, stopped) = text.push(piece);
            out.push(part);
            if stopped {
                return (out, true);
            }
        }
        out.push(text.finish());
        (out, false)
    }

    #[test]
    fn characters_split_over_tokens_come_whole() {
        let (parts, _) = assemble(&[b"a\xE2", b"\x82", b"\xACb"], &[]);
        assert_eq!(parts, ["a", "", "€b", ""]);
    }

    #[test]
    fn stop_texts_over_tokens_end_the_text_before_them() {
        assert_eq!(
            assemble(&[b"on", b"e ST", b"OP two"], &["STOP"]),
            (vec!["on".into(), "e ".into(), String::new()], true)
        );
        // The earliest wins, whatever the order of the list.
        assert_eq!(
            assemble(&[b"x b a"], &["a", "b"]),
            (vec!["x ".into()], true)
        );
        // Held back in vain: it comes out later.
        let (parts, stopped) = assemble(&[b"ST", b"ART"], &["STOP"]);
        assert!(!stopped);
        assert_eq!(parts.concat(), "START");
    }

    proptest! {
        #[test]
        fn any_split_of_any_bytes_gives_the_lossy_text(
            bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 1usize..7
        ) {
            let pieces: Vec<&[u8]> = bytes.chunks(cut).collect();
            let (parts, _) = assemble(&pieces, &[]);
            prop_assert_eq!(parts.concat(), String::from_utf8_lossy(&bytes).into_owned());
        }

        #[test]
        fn stop_texts_are_found_as_in_the_whole_text(
            text in "[ab]{0,30}", stop in "[ab]{1,4}", cut in 1usize..5
        ) {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
            let (parts, stopped) = assemble(&pieces, &[&stop]);
            prop_assert_eq!(stopped, text.contains(&stop));
            prop_assert_eq!(parts.concat(), text.split(&stop).next().unwrap());
        }
    }
}
