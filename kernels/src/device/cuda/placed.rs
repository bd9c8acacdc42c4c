//! Where the buffers of a task lie on the card.
//!
//! The same kernel on the same numbers takes up to some percent more or less
//! time at other addresses (a card's second-level cache has near and far
//! parts). So arms of one task share their buffers, and where these lie is
//! drawn from the inputs, which every process draws anew.

use super::super::DeviceError;
use super::context::Context;
use super::memory::DeviceMemory;
use crate::task::{Buffer, Role, Task};
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// Pages of the card, and how many of them shift what comes after.
const PAGE: usize = 2 << 20;
const MOST_PAGES: u64 = 64;
/// Small pieces share a page: they are shifted within it.
const PIECE: usize = 16 << 10;
const MOST_PIECES: u64 = 64;

/// One set of a task's buffers, or as many as rotation goes around.
pub(super) struct Placed {
    pub sets: Vec<Vec<DeviceMemory>>,
    _before: [DeviceMemory; 2],
}

impl Placed {
    /// Copies the buffers `sets` times. `draw` decides what lies before them.
    pub fn new(
        context: &Rc<Context>,
        buffers: &[Buffer],
        sets: usize,
        draw: u64,
    ) -> Result<Self, DeviceError> {
        let pages = (draw % MOST_PAGES) as usize;
        let pieces = (draw / MOST_PAGES % MOST_PIECES) as usize;
        Ok(Self {
            _before: [
                DeviceMemory::new(context, pages * PAGE)?,
                DeviceMemory::new(context, pieces * PIECE)?,
            ],
            sets: (0..sets)
                .map(|_| {
                    let holding = |buffer: &Buffer| DeviceMemory::holding(context, &buffer.data);
                    buffers.iter().map(holding).collect()
                })
                .collect::<Result<_, _>>()?,
        })
    }
}

/// What makes two arms the same task: its name, and every buffer.
#[derive(Clone, PartialEq)]
struct Key {
    task: String,
    /// Bytes of an element and of the whole, role, digest.
    buffers: Vec<(usize, usize, Role, u64)>,
}

impl Key {
    fn of(task: &Task, buffers: &[Buffer], digests: &[u64]) -> Self {
        let one = |(buffer, digest): (&Buffer, &u64)| {
            let data = &buffer.data;
            (data.element_bytes(), data.byte_len(), buffer.role, *digest)
        };
        Self {
            task: task.label(),
            buffers: buffers.iter().zip(digests).map(one).collect(),
        }
    }
}

/// The buffers that arms hold now.
#[derive(Default)]
pub(super) struct Places(RefCell<Vec<(Key, Weak<Placed>)>>);

impl Places {
    /// Those of this task, made by the first arm and gone with the last.
    pub fn shared(
        &self,
        context: &Rc<Context>,
        task: &Task,
        buffers: &[Buffer],
        digests: &[u64],
    ) -> Result<Rc<Placed>, DeviceError> {
        let key = Key::of(task, buffers, digests);
        let mut known = self.0.borrow_mut();
        known.retain(|(_, placed)| placed.strong_count() > 0);
        if let Some(placed) = known
            .iter()
            .filter(|(other, _)| *other == key)
            .find_map(|(_, placed)| placed.upgrade())
        {
            return Ok(placed);
        }
        let placed = Rc::new(Placed::new(context, buffers, 1, drawn(digests))?);
        known.push((key, Rc::downgrade(&placed)));
        Ok(placed)
    }
}

/// A number of the inputs, which are drawn from the seed of the process.
pub(super) fn drawn(digests: &[u64]) -> u64 {
    let all = digests
        .iter()
        .fold(0_u64, |all, digest| all.rotate_left(17) ^ digest);
    // The upper bits of a product depend on all lower ones.
    all.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}
