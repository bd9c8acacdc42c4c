//! What kernels may touch, and who touched it last.

use std::ffi::c_void;
use std::fmt;
use std::ops::Range;

/// Bytes per cell of the record: the smallest element is a bf16.
const GRANULE: usize = 2;

/// Device memory starts at multiples of this, as `cudaMalloc` has it.
#[repr(align(256))]
#[derive(Clone)]
struct Line(#[allow(dead_code)] [u8; 256]); // read through pointers

/// Memory that no other borders on.
pub struct Storage {
    lines: Vec<Line>,
    pub bytes: usize,
}

impl Storage {
    /// Poisoned memory.
    pub fn new(bytes: usize) -> Self {
        // A line more than needed, so that what lies behind is never another's.
        let lines = vec![Line([0xFF; 256]); bytes / 256 + 1];
        Self { lines, bytes }
    }

    pub fn poison(&mut self) {
        self.lines.fill(Line([0xFF; 256]));
    }

    pub fn address(&mut self) -> *mut c_void {
        self.lines.as_mut_ptr().cast()
    }

    pub fn addresses(&mut self) -> Range<usize> {
        let start = self.address().addr();
        start..start + self.bytes
    }
}

/// An array in shared memory.
struct Shared {
    tag: usize,
    storage: Storage,
    region: usize,
}

/// Who accesses, and which barriers lie behind it.
#[derive(Clone, Copy, Default, PartialEq)]
pub struct Access {
    /// Index of the block in the grid, from 1; 0 means nobody yet.
    pub block: u32,
    pub thread: u32,
    /// Block barriers passed in this block.
    pub barrier: u32,
    /// Warp barriers passed in this warp.
    pub warp_barrier: u32,
    /// Address of the instruction after it.
    pub code: usize,
}

impl Access {
    /// Whether nothing orders `earlier` before this access.
    fn races(&self, earlier: &Self) -> bool {
        if earlier.block == 0 {
            return false;
        }
        if earlier.block != self.block {
            return true;
        }
        let same_warp = earlier.thread / 32 == self.thread / 32;
        earlier.thread != self.thread
            && earlier.barrier == self.barrier
            && !(same_warp && earlier.warp_barrier != self.warp_barrier)
    }
}

/// The last write and two of the reads since.
#[derive(Clone, Copy, Default)]
struct Record {
    write: Access,
    reads: [Access; 2],
}

/// A piece of memory that kernels know.
pub struct Region {
    pub name: String,
    pub addresses: Range<usize>,
    pub writable: bool,
    pub element: usize,
    records: Vec<Record>,
}

/// What is wrong with an access.
pub struct Fault {
    pub what: String,
    /// The other access of a race.
    pub other: Option<Access>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Region {
    pub fn new(name: &str, addresses: Range<usize>, writable: bool, element: usize) -> Self {
        let records = vec![Record::default(); addresses.len().div_ceil(GRANULE)];
        Self {
            name: name.to_owned(),
            addresses,
            writable,
            element,
            records,
        }
    }

    /// Forgets all accesses: a launch or, for shared memory, a block begins.
    pub fn forget(&mut self) {
        self.records.fill(Record::default());
    }

    fn access(&mut self, start: usize, size: usize, write: bool, who: Access) -> Result<(), Fault> {
        let place = |address: usize| {
            format!(
                "{}[{}]",
                self.name,
                (address - self.addresses.start) / self.element
            )
        };
        let fault = |what| Err(Fault { what, other: None });
        if start + size > self.addresses.end {
            let kind = if write { "written" } else { "read" };
            return fault(format!(
                "{kind} beyond the end: {size} bytes at {}",
                place(start)
            ));
        }
        if size.is_power_of_two() && size <= 16 && !start.is_multiple_of(size) {
            return fault(format!(
                "an access of {size} bytes is misaligned at {}",
                place(start)
            ));
        }
        if write && !self.writable {
            return fault(format!("an input is written: {}", place(start)));
        }
        let first = (start - self.addresses.start) / GRANULE;
        for cell in first..first + size.div_ceil(GRANULE) {
            let record = &mut self.records[cell];
            let reads = if write { &record.reads[..] } else { &[] };
            let earlier = [&record.write].into_iter().chain(reads);
            if let Some(other) = earlier.into_iter().find(|earlier| who.races(earlier)) {
                let verb = if *other == record.write {
                    "wrote"
                } else {
                    "read"
                };
                let what = format!(
                    "race at {}: thread {} {} what thread {} {verb}, no barrier between",
                    place(start),
                    who.thread,
                    if write { "writes" } else { "reads" },
                    other.thread,
                );
                return Err(Fault {
                    what,
                    other: Some(*other),
                });
            }
            if write {
                *record = Record {
                    write: who,
                    reads: Default::default(),
                };
            } else if !who.races(&record.reads[0]) {
                // A later write that races with the earlier read races with
                // this one.
                record.reads[0] = who;
            } else {
                record.reads[1] = who;
            }
        }
        Ok(())
    }
}

/// All regions, and ranges that may be read without a record.
#[derive(Default)]
pub struct Memory {
    pub regions: Vec<Region>,
    pub constant: Vec<Range<usize>>,
    shared: Vec<Shared>,
}

impl Memory {
    /// The shared array of this tag.
    pub fn shared(&mut self, tag: usize, bytes: usize, element: usize, name: &str) -> *mut c_void {
        if let Some(known) = self.shared.iter_mut().find(|array| array.tag == tag) {
            return known.storage.address();
        }
        let mut storage = Storage::new(bytes);
        let address = storage.address();
        let name = format!("shared {name}");
        self.regions
            .push(Region::new(&name, storage.addresses(), true, element));
        let region = self.regions.len() - 1;
        self.shared.push(Shared {
            tag,
            storage,
            region,
        });
        address
    }

    /// What an earlier block left in shared memory must not help the next one.
    pub fn next_block(&mut self) {
        for array in &mut self.shared {
            array.storage.poison();
            self.regions[array.region].forget();
        }
    }

    /// # Errors
    /// If the access is out of bounds, misaligned, a write to an input, or a
    /// race.
    pub fn access(
        &mut self,
        start: usize,
        size: usize,
        write: bool,
        who: Access,
    ) -> Result<(), Fault> {
        if let Some(region) = self
            .regions
            .iter_mut()
            .find(|r| r.addresses.contains(&start))
        {
            return region.access(start, size, write, who);
        }
        if !write && self.constant.iter().any(|range| range.contains(&start)) {
            return Ok(());
        }
        let kind = if write { "written" } else { "read" };
        let near = self.regions.iter().min_by_key(|region| {
            let (first, last) = (region.addresses.start, region.addresses.end);
            if start < first {
                first - start
            } else {
                start - last
            }
        });
        let near = near.map_or("nothing", |region| &region.name);
        let what = format!("{kind} out of bounds: {size} bytes, nearest to {near}");
        Err(Fault { what, other: None })
    }
}

/// A region that two blocks of two threads access in turn.
#[test]
fn a_write_after_another_block_read_is_a_race_for_every_thread() {
    for reader in [0, 1] {
        let mut region = Region::new("x", 0..4, true, 4);
        let who = |block, thread| Access {
            block,
            thread,
            ..Access::default()
        };
        let mut access = |write, who| region.access(0, 4, write, who).is_err();
        assert!(!access(false, who(1, reader)));
        assert!(!access(false, who(2, 0)));
        assert!(access(true, who(2, 0)), "thread {reader} has read it");
    }
}
