//! GPT-2's division of text into words, without a regular expression:
//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.

use super::classes::{LETTERS, NUMBERS};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Number,
    Space,
    Other,
}

/// The words of a text; together they are the text.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (word, after) = rest.split_at(first_word(rest));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

/// Length of the first word in bytes; 0 of an empty text.
fn first_word(text: &str) -> usize {
    const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    if let Some(found) = CONTRACTIONS.iter().find(|c| text.starts_with(**c)) {
        return found.len();
    }
    let bare = text.strip_prefix(' ').unwrap_or(text);
    let Some(first) = bare.chars().next() else {
        return text.len();
    };
    match class(first) {
        Class::Space => spaces(text),
        class => text.len() - bare.len() + run(bare, class),
    }
}

/// Spaces before a word leave the last one to it.
fn spaces(text: &str) -> usize {
    let run = run(text, Class::Space);
    let last = text[..run].chars().next_back().map_or(0, char::len_utf8);
    if run == text.len() || run == last {
        run
    } else {
        run - last
    }
}

/// Length of the characters of a class at the start.
fn run(text: &str, of: Class) -> usize {
    text.find(|c| class(c) != of).unwrap_or(text.len())
}

fn class(character: char) -> Class {
    match character {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Number,
        c if c.is_whitespace() => Class::Space,
        c if c.is_ascii() => Class::Other,
        c if contains(&LETTERS, c) => Class::Letter,
        c if contains(&NUMBERS, c) => Class::Number,
        _ => Class::Other,
    }
}

fn contains(boundaries: &[u32], character: char) -> bool {
    let code = u32::from(character);
    !boundaries.partition_point(|&b| b <= code).is_multiple_of(2)
}
