//! How many requests are answered at once.

use std::sync::Mutex;
use std::sync::PoisonError;

/// Places at which requests are worked on. A request that finds none free waits
/// for the first that will be, in the order of arrival. Nobody sleeps for it:
/// when an answer will be at its end is known from its script.
#[derive(Debug)]
pub(super) struct Places {
    /// When each place is free; `None` without a limit.
    free_ns: Option<Mutex<Vec<u64>>>,
}

impl Places {
    pub(super) fn new(limit: Option<u32>) -> Self {
        Self {
            free_ns: limit.map(|n| Mutex::new(vec![0; n.max(1) as usize])),
        }
    }

    /// When the work on a request begins that arrived at `received_ns` and takes
    /// `needs_ns`.
    pub(super) fn begin(&self, received_ns: u64, needs_ns: u64) -> u64 {
        let Some(free) = &self.free_ns else {
            return received_ns;
        };
        let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
        let first = free.iter_mut().min().expect("there is at least one place");
        let begin = received_ns.max(*first);
        *first = begin.saturating_add(needs_ns);
        begin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_wait_for_the_first_free_place_in_order() {
        let places = Places::new(Some(2));
        let begins: Vec<u64> = [10, 11, 12, 13].map(|at| places.begin(at, 100)).into();
        assert_eq!(begins, [10, 11, 110, 111]);
        assert_eq!(places.begin(500, 100), 500, "all are free again");
        let endless = Places::new(None);
        assert_eq!([1, 2, 3].map(|at| endless.begin(at, 100)), [1, 2, 3]);
    }
}
