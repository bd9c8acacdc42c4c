//! Text from tokens as they come.

use super::Tokenizer;

/// Turns tokens into text one by one and never splits a character: bytes wait
/// until theirs is complete. All pieces together are the text of all bytes,
/// with U+FFFD where they are not UTF-8. Special tokens give no text.
#[derive(Clone, Debug, Default)]
pub struct Detokenizer {
    /// An incomplete character.
    waiting: Vec<u8>,
}

impl Detokenizer {
    /// The text that a token completes; often empty for part of a character.
    pub fn push(&mut self, tokenizer: &Tokenizer, token: u32) -> String {
        if !tokenizer.is_special(token) {
            self.waiting.extend_from_slice(tokenizer.bytes(token));
        }
        let keep = incomplete(&self.waiting);
        let waiting = self.waiting.split_off(self.waiting.len() - keep);
        let complete = std::mem::replace(&mut self.waiting, waiting);
        String::from_utf8_lossy(&complete).into_owned()
    }

    /// What still waits after the last token: U+FFFD or nothing.
    pub fn finish(&mut self) -> String {
        let waiting = std::mem::take(&mut self.waiting);
        String::from_utf8_lossy(&waiting).into_owned()
    }
}

/// Bytes at the end that could become a character.
fn incomplete(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last();
    let Some(tail) = last.map(|chunk| chunk.invalid()) else {
        return 0;
    };
    // A chunk's invalid bytes reach the end of the text only when more of them
    // could complete a character, or when they are wrong as they are.
    match std::str::from_utf8(tail) {
        Err(e) if e.error_len().is_none() => tail.len(),
        _ => 0,
    }
}
