//! Byte-level BPE (Sennrich et al., arXiv:1508.07909; bytes as in GPT-2).
//!
//! Text is cut at special tokens, then into words, and each word's bytes are
//! merged by rank. The built-in vocabulary has six special tokens, the 256
//! bytes in order, and one token per line of `merges.txt`; any text, and any
//! bytes, come back unchanged.

mod byte_level;
mod chat;
mod classes;
mod detokenizer;
mod document;
mod merges;
mod words;

pub use chat::{CHAT_TEMPLATE, ChatError, ChatMessage, Role};
pub use detokenizer::Detokenizer;

pub(super) use byte_level::written;
use merges::Merges;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Special tokens of the built-in vocabulary, by id.
pub(super) const SPECIAL: [&str; 6] = [
    "<|bos|>",
    "<|end|>",
    "<|pad|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
];

/// Whether a tokenizer remembers the tokens of words; the tokens are the same.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TokenizerCache {
    /// Words seen before are looked up.
    #[default]
    On,
    /// Every word is merged again.
    Off,
}

/// Words remembered; then the memory starts anew.
const MEMORY_WORDS: usize = 1 << 16;
/// Longer words are rare and not worth remembering.
const LONGEST_REMEMBERED: usize = 64;

type Memory = HashMap<Box<str>, Box<[u32]>>;

/// A vocabulary and its merges; shared between threads.
#[derive(Debug)]
pub struct Tokenizer {
    /// The bytes of every token, by id.
    bytes: Vec<Box<[u8]>>,
    /// Text and id, longest first.
    special: Vec<(Box<str>, u32)>,
    byte_tokens: [u32; 256],
    merges: Merges,
    memory: Option<Mutex<Memory>>,
}

impl Tokenizer {
    /// The built-in vocabulary, cut to `vocab_size` tokens.
    pub(super) fn builtin(vocab_size: usize, cache: TokenizerCache) -> Self {
        let mut bytes: Vec<Box<[u8]>> = SPECIAL.iter().map(|s| s.as_bytes().into()).collect();
        bytes.extend((0..=u8::MAX).map(|byte| Box::from([byte])));
        let first = SPECIAL.len() as u32;
        let byte_tokens = std::array::from_fn(|byte| first + byte as u32);
        let mut ids: HashMap<Box<[u8]>, u32> = bytes.iter().cloned().zip(0..).collect();
        let mut merges = Merges::default();
        let lines = include_str!("merges.txt").lines();
        for line in lines.take(vocab_size - bytes.len()) {
            let (left, right) = line.split_once(' ').expect("two tokens a line");
            let [left, right] =
                [left, right].map(|t| byte_level::bytes(t).expect("byte characters"));
            let pair = (ids[&left[..]], ids[&right[..]]);
            let merged: Box<[u8]> = [left, right].concat().into();
            let id = bytes.len() as u32;
            merges.push(pair, id);
            ids.insert(merged.clone(), id);
            bytes.push(merged);
        }
        let special = SPECIAL.iter().map(|&s| s.into()).zip(0..).collect();
        Self::new(bytes, special, byte_tokens, merges, cache)
    }

    fn new(
        bytes: Vec<Box<[u8]>>,
        mut special: Vec<(Box<str>, u32)>,
        byte_tokens: [u32; 256],
        merges: Merges,
        cache: TokenizerCache,
    ) -> Self {
        special.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        let memory = (cache == TokenizerCache::On).then(Mutex::default);
        Self {
            bytes,
            special,
            byte_tokens,
            merges,
            memory,
        }
    }

    /// The tokens of a text; special tokens written in it are recognised.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::with_capacity(text.len() / 3 + 1);
        let mut rest = text;
        while let Some((at, len, token)) = self.find_special(rest) {
            self.encode_words(&rest[..at], &mut tokens);
            tokens.push(token);
            rest = &rest[at + len..];
        }
        self.encode_words(rest, &mut tokens);
        tokens
    }

    /// The tokens of a text in which special tokens mean nothing: for words of
    /// users.
    #[must_use]
    pub fn encode_ordinary(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::with_capacity(text.len() / 3 + 1);
        self.encode_words(text, &mut tokens);
        tokens
    }

    /// The text of tokens, special ones included: undoes [`Tokenizer::encode`].
    /// Bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn decode(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .flat_map(|&t| self.bytes(t))
            .copied()
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes of a token; none of an unknown one.
    #[must_use]
    pub fn bytes(&self, token: u32) -> &[u8] {
        self.bytes.get(token as usize).map_or(&[], |bytes| bytes)
    }

    /// Whether a token marks structure rather than text.
    #[must_use]
    pub fn is_special(&self, token: u32) -> bool {
        self.special.iter().any(|&(_, id)| id == token)
    }

    /// The id of a special token, such as `<|end|>`.
    #[must_use]
    pub fn special(&self, text: &str) -> Option<u32> {
        let found = self.special.iter().find(|(special, _)| **special == *text);
        found.map(|&(_, id)| id)
    }

    /// Number of tokens.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.bytes.len()
    }

    /// The merges in the order of their ranks, as pairs of tokens.
    pub(super) fn merges(&self) -> Vec<(u32, u32)> {
        self.merges.ranked()
    }

    /// The special tokens by id.
    pub(super) fn specials(&self) -> Vec<(u32, &str)> {
        let mut all: Vec<_> = self
            .special
            .iter()
            .map(|(text, id)| (*id, &**text))
            .collect();
        all.sort_unstable();
        all
    }

    /// Position, length and id of the first special token; the longest there.
    fn find_special(&self, text: &str) -> Option<(usize, usize, u32)> {
        (0..text.len()).find_map(|at| {
            let rest = &text.as_bytes()[at..];
            let found = self
                .special
                .iter()
                .find(|(s, _)| rest.starts_with(s.as_bytes()));
            found.map(|(s, id)| (at, s.len(), *id))
        })
    }

    fn encode_words(&self, text: &str, tokens: &mut Vec<u32>) {
        let Some(memory) = &self.memory else {
            for word in words::split(text) {
                self.merge(word, tokens);
            }
            return;
        };
        // Memory that a panicking thread left is still right.
        let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
        for word in words::split(text) {
            if let Some(known) = memory.get(word) {
                tokens.extend_from_slice(known);
                continue;
            }
            let from = tokens.len();
            self.merge(word, tokens);
            if word.len() <= LONGEST_REMEMBERED {
                if memory.len() == MEMORY_WORDS {
                    memory.clear();
                }
                memory.insert(word.into(), tokens[from..].into());
            }
        }
    }

    fn merge(&self, word: &str, tokens: &mut Vec<u32>) {
        let bytes = word.bytes().map(|byte| self.byte_tokens[usize::from(byte)]);
        self.merges.apply(bytes, tokens);
    }
}
