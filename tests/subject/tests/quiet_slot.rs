//! Inside a slot nothing is allocated.

use evenhand::executor::{AsyncBencher, ThreadExecutor};
use evenhand::harness::suite::{Bencher, build_arm};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[allow(unsafe_code, reason = "an allocator can't be written without")]
// SAFETY: everything is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations_in_a_slot(build: impl FnOnce(&mut Bencher)) -> u64 {
    let mut arm = build_arm(1, build).unwrap();
    // What a routine allocates at its first call is its own.
    arm.slot(3).unwrap();
    let before = ALLOCATIONS.get();
    arm.slot(3000).unwrap();
    ALLOCATIONS.get() - before
}

#[test]
fn slots_do_not_allocate() {
    let mut x = 1u64;
    assert_eq!(
        allocations_in_a_slot(|b| b.iter(move || {
            x = x.wrapping_add(1);
            x
        })),
        0
    );
    assert_eq!(
        allocations_in_a_slot(|b| b.iter_custom(|_| std::time::Duration::ZERO)),
        0
    );
    assert_eq!(
        allocations_in_a_slot(|b| b.state([0u8; 64]).iter(|s| s[0] = s[0].wrapping_add(1))),
        0
    );
    assert_eq!(
        allocations_in_a_slot(|b| b.iter_batched(|| 7u64, |x| x + 1)),
        0
    );
    assert_eq!(
        allocations_in_a_slot(|b| b.iter_batched_ref(|| [0u8; 64], |x| x[0] = x[0].wrapping_add(1))),
        0
    );
    // The executor makes one waker per slot, not per iteration.
    assert_eq!(
        allocations_in_a_slot(|b| b.iter_async(ThreadExecutor, || async { 1 })),
        1
    );
}

/// The count itself must be able to fail.
#[test]
fn an_allocating_routine_is_counted() {
    assert_eq!(allocations_in_a_slot(|b| b.iter(|| Box::new(1))), 3000);
}
