//! One of several fixed texts, byte by byte.

use std::sync::Arc;

/// Fixed texts, distinct and none empty. One may begin another only where
/// what follows tells them apart.
#[derive(Debug)]
pub(super) struct Texts(pub(super) Vec<Box<[u8]>>);

/// Where the reading of one of several texts stands.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    texts: Arc<Texts>,
    /// A text that agrees with what was read: the first such.
    agrees: usize,
    read: usize,
}

impl Literal {
    pub(super) fn new(texts: &Arc<Texts>) -> Self {
        Self {
            texts: Arc::clone(texts),
            agrees: 0,
            read: 0,
        }
    }

    /// Texts that begin with what was read.
    fn alive(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let begun = &self.texts.0[self.agrees][..self.read];
        self.texts
            .0
            .iter()
            .enumerate()
            .filter(move |(_, text)| text.starts_with(begun))
            .map(|(i, text)| (i, &**text))
    }

    /// The reading with one more byte; `None` when it can't come here.
    pub(super) fn read(&self, byte: u8) -> Option<Self> {
        let agrees = self
            .alive()
            .find(|(_, text)| text.get(self.read) == Some(&byte))?
            .0;
        Some(Self {
            texts: Arc::clone(&self.texts),
            agrees,
            read: self.read + 1,
        })
    }

    /// The text that was read whole, if any.
    pub(super) fn complete(&self) -> Option<usize> {
        self.alive()
            .find(|(_, text)| text.len() == self.read)
            .map(|(i, _)| i)
    }

    /// Cost of the cheapest way on: bytes to the end of a text and what
    /// `after` says that it costs from there.
    pub(super) fn shortest(&self, after: impl Fn(usize) -> usize) -> usize {
        self.alive()
            .map(|(i, text)| text.len() - self.read + after(i))
            .min()
            .unwrap_or(0)
    }

    /// Whether a longer text than the one read whole is still possible.
    pub(super) fn may_go_on(&self) -> bool {
        self.alive().any(|(_, text)| text.len() > self.read)
    }
}
