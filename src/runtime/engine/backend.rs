//! What the engine needs of a model: the seam between scheduling and
//! computing. The CPU decoder implements it; a GPU decoder can.

use std::fmt;

/// Computes logits for sequences that live in numbered slots.
pub trait Backend: Send {
    /// Number of logits in a row.
    fn vocabulary(&self) -> usize;

    /// Largest number of tokens of a sequence, prompt included.
    fn context(&self) -> usize;

    /// Prepares an empty slot for up to `capacity` tokens.
    ///
    /// # Errors
    /// If there is no memory for it.
    fn open(&mut self, slot: usize, capacity: usize) -> Result<(), BackendError>;

    /// Frees a slot and its memory.
    fn close(&mut self, slot: usize);

    /// Forgets the tokens of an open slot.
    fn clear(&mut self, slot: usize);

    /// Appends every piece of work to its slot and leaves one row of logits
    /// per piece in `logits`, those after its last token. Slots are open,
    /// ascending and distinct; no piece is empty.
    ///
    /// # Errors
    /// If the model can't compute the step; the slots are unusable then.
    fn forward(&mut self, work: &[Work<'_>], logits: &mut Vec<f32>) -> Result<(), BackendError>;
}

/// Tokens that a sequence has to take in.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// Where the sequence lives.
    pub slot: usize,
    /// What comes next in it.
    pub tokens: &'a [u32],
}

/// Why a step could not be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendError(pub String);

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BackendError {}
