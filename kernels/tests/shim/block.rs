//! Runs one block: its threads are fibers, and a scheduler lets them go on in
//! an order drawn from a seed.
#![allow(unsafe_code)] // calls compiled kernels, which call back

use super::compile::{Enter, RawWait, State};
use super::memory::{Access, Fault, Memory};
use bootstrap::Stream;
use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::ops::Range;
use std::path::Path;
use std::ptr;

const WARP: usize = 32;
const STACK_BYTES: usize = 64 << 10;

type Lanes = [u64; WARP];
type Fiber = Coroutine<*const Lanes, Event, (), DefaultStack>;

/// Why a fiber gives up the processor.
enum Event {
    Wait(RawWait),
    Fault(Fault, usize),
}

/// A broken rule and where it was broken.
pub struct Broken {
    pub what: String,
    /// Addresses of the instructions involved.
    pub code: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Status {
    Ready,
    Waits(RawWait),
    Done,
}

/// What the callbacks of a running fiber need.
struct Context {
    memory: RefCell<Memory>,
    block: u32,
    thread: Cell<usize>,
    barriers: Cell<u32>,
    warp_barriers: Vec<Cell<u32>>,
    yielders: Vec<Cell<*const Yielder<*const Lanes, Event>>>,
    stacks: Vec<Range<usize>>,
}

thread_local! {
    static CONTEXT: Cell<*const Context> = const { Cell::new(ptr::null()) };
}

pub unsafe extern "C" fn wait(request: *const RawWait) -> *const u64 {
    // SAFETY: only fibers of a running block call this; the context outlives
    // them, and the request lives on the stack of the caller.
    unsafe {
        let context = &*CONTEXT.get();
        let yielder = &*context.yielders[context.thread.get()].get();
        yielder.suspend(Event::Wait(*request)).cast()
    }
}

pub unsafe extern "C" fn shared(
    tag: *const c_void,
    bytes: usize,
    element: usize,
    name: *const c_char,
) -> *mut c_void {
    // SAFETY: as in `wait`; the name is a literal of the library.
    unsafe {
        let name = CStr::from_ptr(name).to_string_lossy();
        let mut memory = (*CONTEXT.get()).memory.borrow_mut();
        memory.shared(tag.addr(), bytes, element, &name)
    }
}

pub unsafe extern "C" fn access(
    address: *const c_void,
    size: usize,
    write: i32,
    code: *const c_void,
) {
    // SAFETY: as in `wait`.
    let context = unsafe { &*CONTEXT.get() };
    let thread = context.thread.get();
    if context.stacks[thread].contains(&address.addr()) {
        return;
    }
    let who = Access {
        block: context.block,
        thread: thread as u32,
        barrier: context.barriers.get(),
        warp_barrier: context.warp_barriers[thread / WARP].get(),
        code: code.addr(),
    };
    let result = context
        .memory
        .borrow_mut()
        .access(address.addr(), size, write != 0, who);
    if let Err(fault) = result {
        // SAFETY: as in `wait`. Never resumed: the access must not happen.
        unsafe { (*context.yielders[thread].get()).suspend(Event::Fault(fault, code.addr())) };
        unreachable!("a faulty fiber was resumed");
    }
}

/// A block that is about to run.
pub struct Block<'a> {
    pub enter: Enter,
    /// Addresses of the arguments.
    pub args: &'a mut [*mut c_void],
    pub state: *mut State,
    /// Position in the grid, and its index there.
    pub position: [u32; 3],
    pub index: u32,
    pub dim: [u32; 3],
}

/// Stacks for the next block.
pub type Stacks = Vec<DefaultStack>;

impl Block<'_> {
    /// Runs all threads to their end.
    ///
    /// # Errors
    /// The first broken rule; the other threads stay where they are.
    pub fn run(
        &mut self,
        memory: Memory,
        stacks: &mut Stacks,
        order: &mut Stream,
    ) -> (Memory, Result<(), Broken>) {
        let threads = self.dim.iter().product::<u32>() as usize;
        let warps = threads.div_ceil(WARP);
        while stacks.len() < threads {
            stacks.push(DefaultStack::new(STACK_BYTES).expect("memory for a stack"));
        }
        let own: Vec<DefaultStack> = stacks.drain(..threads).collect();
        let lanes = vec![[0; WARP]; threads];
        let context = Context {
            memory: RefCell::new(memory),
            block: self.index + 1,
            thread: Cell::new(0),
            barriers: Cell::new(0),
            warp_barriers: vec![Cell::new(0); warps],
            yielders: vec![Cell::new(ptr::null()); threads],
            stacks: own
                .iter()
                .map(|stack| stack.limit().get()..stack.base().get())
                .collect(),
        };
        let received = lanes.as_ptr().addr();
        context
            .memory
            .borrow_mut()
            .constant
            .push(received..received + size_of_val(&*lanes));
        CONTEXT.set(&raw const context);
        let (enter, args) = (self.enter, self.args.as_mut_ptr());
        let fibers = own.into_iter().map(|stack| {
            Fiber::with_stack(stack, move |yielder, _| {
                // SAFETY: the scheduler below set the context and keeps it
                // alive; the arguments were checked against the parameters.
                unsafe {
                    let context = &*CONTEXT.get();
                    context.yielders[context.thread.get()].set(yielder);
                    enter(args);
                }
            })
        });
        let mut scheduler = Scheduler {
            fibers: fibers.collect(),
            status: vec![Status::Ready; threads],
            ready: (0..threads).collect(),
            live: threads,
            lanes,
            context: &context,
        };
        let result = scheduler.run(self, order);
        for mut fiber in scheduler.fibers {
            // SAFETY: frames of kernels and of the callbacks own nothing.
            unsafe { fiber.force_reset() };
            stacks.push(fiber.into_stack());
        }
        CONTEXT.set(ptr::null());
        let mut memory = context.memory.into_inner();
        memory.constant.pop();
        (memory, result)
    }

    fn thread_index(&self, thread: usize) -> [u32; 3] {
        let thread = thread as u32;
        let [x, y, _] = self.dim;
        [thread % x, thread / x % y, thread / (x * y)]
    }
}

struct Scheduler<'a> {
    fibers: Vec<Fiber>,
    status: Vec<Status>,
    ready: Vec<usize>,
    live: usize,
    /// What each thread received in its last exchange.
    lanes: Vec<Lanes>,
    context: &'a Context,
}

impl Scheduler<'_> {
    fn run(&mut self, block: &Block<'_>, order: &mut Stream) -> Result<(), Broken> {
        while self.live > 0 {
            if self.ready.is_empty() {
                return Err(self.different_places());
            }
            let thread = self.ready.swap_remove(order.index(self.ready.len()));
            self.context.thread.set(thread);
            // SAFETY: the state belongs to the opened library, and nothing else
            // runs in it.
            unsafe {
                (*block.state).thread = block.thread_index(thread);
                (*block.state).block = block.position;
            }
            match self.fibers[thread].resume(&raw const self.lanes[thread]) {
                CoroutineResult::Return(()) => {
                    self.status[thread] = Status::Done;
                    self.live -= 1;
                }
                CoroutineResult::Yield(Event::Wait(wait)) => {
                    self.status[thread] = Status::Waits(wait)
                }
                CoroutineResult::Yield(Event::Fault(fault, code)) => {
                    let other = fault.other.map(|other| other.code);
                    return Err(Broken {
                        what: format!(
                            "block {:?}, thread {:?}: {fault}",
                            block.position,
                            block.thread_index(thread)
                        ),
                        code: [code].into_iter().chain(other).collect(),
                    });
                }
            }
            self.release_warp(thread)?;
            self.release_block()?;
        }
        Ok(())
    }

    /// Lets the lanes of a warp go on whose partners have all arrived, now that
    /// `latest` waits or has left.
    fn release_warp(&mut self, latest: usize) -> Result<(), Broken> {
        let warp = latest / WARP;
        let first = warp * WARP;
        let last = self.status.len().min(first + WARP);
        // One that waits completes no exchange but its own.
        let candidates = match self.status[latest] {
            Status::Waits(_) => latest..latest + 1,
            _ => first..last,
        };
        for thread in candidates {
            let Status::Waits(wait) = self.status[thread] else {
                continue;
            };
            if wait.kind == 0 {
                continue;
            }
            if wait.mask >> (thread - first) & 1 == 0 {
                return Err(Broken {
                    what: format!(
                        "thread {thread} is not in the mask {:#x} at {}",
                        wait.mask,
                        place(&wait)
                    ),
                    code: Vec::new(),
                });
            }
            let named = |&other: &usize| wait.mask >> (other - first) & 1 == 1;
            let mut partners = (first..last).filter(named);
            let arrived = |other: usize| match self.status[other] {
                Status::Done => true,
                Status::Ready => false,
                Status::Waits(theirs) => same_place(&theirs, &wait) && theirs.mask == wait.mask,
            };
            if !partners.all(arrived) {
                continue;
            }
            let partners = (first..last).filter(named);
            let mut exchanged = [u64::MAX; WARP];
            for other in partners.clone() {
                if let Status::Waits(theirs) = self.status[other] {
                    exchanged[other - first] = theirs.value;
                }
            }
            for other in partners {
                if matches!(self.status[other], Status::Waits(_)) {
                    self.lanes[other] = exchanged;
                    self.status[other] = Status::Ready;
                    self.ready.push(other);
                }
            }
            if wait.kind == 1 {
                let passed = &self.context.warp_barriers[warp];
                passed.set(passed.get() + 1);
            }
        }
        Ok(())
    }

    /// Lets the block go on when all threads that have not left are at the
    /// same barrier.
    fn release_block(&mut self) -> Result<(), Broken> {
        if !self.ready.is_empty() || self.live == 0 {
            return Ok(());
        }
        let waiting = self.status.iter().filter_map(|status| match status {
            Status::Waits(wait) => Some(*wait),
            _ => None,
        });
        let waiting: Vec<RawWait> = waiting.collect();
        if waiting
            .iter()
            .any(|wait| wait.kind != 0 || !same_place(wait, &waiting[0]))
        {
            return Err(self.different_places());
        }
        for (thread, status) in self.status.iter_mut().enumerate() {
            if matches!(status, Status::Waits(_)) {
                *status = Status::Ready;
                self.ready.push(thread);
            }
        }
        self.context.barriers.set(self.context.barriers.get() + 1);
        Ok(())
    }

    fn different_places(&self) -> Broken {
        let mut places: Vec<String> = self
            .status
            .iter()
            .filter_map(|status| match status {
                Status::Waits(wait) => Some(place(wait)),
                _ => None,
            })
            .collect();
        places.sort();
        places.dedup();
        let left = self.status.len() - self.live;
        Broken {
            what: format!("threads wait at different places: {places:?} ({left} have left)"),
            code: Vec::new(),
        }
    }
}

fn same_place(a: &RawWait, b: &RawWait) -> bool {
    a.kind == b.kind && a.line == b.line && a.file == b.file
}

fn place(wait: &RawWait) -> String {
    // SAFETY: `__FILE__` of the library, which is open while its kernels run.
    let file = unsafe { CStr::from_ptr(wait.file) }.to_string_lossy();
    let name = Path::new(&*file).file_name().unwrap_or_default();
    format!("{}:{}", name.to_string_lossy(), wait.line)
}
