//! Bytes as printable characters, the way GPT-2 writes its vocabulary: printable
//! Latin-1 stands for itself, the other 68 bytes for U+0100 and on, in order.

use super::Tokenizer;

/// A token as vocabulary files write it. An id without a token, as models with
/// padded embeddings have, gets a name that no text contains.
pub(in crate::runtime) fn written(tokenizer: &Tokenizer, token: u32) -> String {
    let bytes = tokenizer.bytes(token);
    if bytes.is_empty() {
        format!("<|unused {token}|>")
    } else if tokenizer.is_special(token) {
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        bytes.iter().map(|&byte| character(byte)).collect()
    }
}

/// The character of a byte.
pub(super) fn character(byte: u8) -> char {
    if is_printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|&b| !is_printable(b)).count();
    char::from_u32(0x100 + before as u32).expect("68 characters from U+0100")
}

/// The bytes of a token as it is written, if all its characters stand for some.
pub(super) fn bytes(token: &str) -> Option<Vec<u8>> {
    token.chars().map(byte).collect()
}

fn byte(character: char) -> Option<u8> {
    let code = u32::from(character);
    match u8::try_from(code) {
        Ok(byte) => is_printable(byte).then_some(byte),
        Err(_) => unprintable().nth(code as usize - 0x100),
    }
}

fn unprintable() -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(|&byte| !is_printable(byte))
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        let all: String = (0..=u8::MAX).map(character).collect();
        assert_eq!(bytes(&all), Some((0..=u8::MAX).collect()));
        assert_eq!(character(b' '), 'Ġ');
        assert_eq!(character(0xAD), '\u{143}');
        assert_eq!(bytes("\u{144}"), None);
        assert_eq!(bytes(" "), None);
    }
}
