//! Throughput of a block in closed loop, while all its users were busy.

use super::load::Load;
use crate::serving::Attempt;

/// Id of the metric: tokens as the server counted them, read per second while
/// all users were busy.
pub(super) const THROUGHPUT: &str = "throughput.server_usage.all_busy";
/// Its unit.
pub(super) const UNIT: &str = "tokens/s";

/// The time in which all users were busy: from the end of as many answers as a
/// ramp has, over as many answers as count. The user who ended the last of them
/// may be the first to find no further request.
///
/// Both ends are ends of answers, so neither the length of an answer nor the
/// number of users moves the mean number of answers per time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AllBusy {
    begin_ns: u64,
    end_ns: u64,
}

impl AllBusy {
    /// Of a block's attempts; `None` in open loop and for a block cut short.
    pub(super) fn of(load: &Load, attempts: &[Attempt]) -> Option<Self> {
        if load.open.is_some() {
            return None;
        }
        let mut ends: Vec<u64> = attempts.iter().map(|a| a.stamps.done_ns).collect();
        ends.sort_unstable();
        let at = |n: u32| ends.get((n as usize).checked_sub(1)?).copied();
        let begin_ns = at(load.ramp())?;
        let end_ns = at(load.ramp() + load.requests)?;
        (begin_ns < end_ns).then_some(Self { begin_ns, end_ns })
    }

    fn holds(&self, at_ns: u64) -> bool {
        self.begin_ns < at_ns && at_ns <= self.end_ns
    }

    fn per_second(&self, amount: f64) -> f64 {
        amount * 1e9 / (self.end_ns - self.begin_ns) as f64
    }

    /// Complete answers that ended in it, per second.
    pub(super) fn answers_per_s(&self, attempts: &[Attempt]) -> f64 {
        let ended = attempts
            .iter()
            .filter(|a| a.succeeded() && self.holds(a.stamps.done_ns));
        self.per_second(ended.count() as f64)
    }

    /// Tokens of complete answers that were read in it, per second. The server's
    /// count is spread evenly over the events with text. `None` where a server
    /// did not count.
    pub(super) fn tokens_per_s(&self, attempts: &[Attempt]) -> Option<f64> {
        let mut tokens = 0.0;
        for attempt in attempts.iter().filter(|a| a.succeeded()) {
            let counted = attempt.tokens.server? as f64;
            let events = |inside: &dyn Fn(u64) -> bool| -> u64 {
                let reads = attempt.reads.iter().filter(|r| inside(r.at_ns));
                reads.map(|r| u64::from(r.content_events)).sum()
            };
            tokens += match events(&|_| true) {
                0 if self.holds(attempt.stamps.done_ns) => counted,
                0 => 0.0,
                all => counted * events(&|at| self.holds(at)) as f64 / all as f64,
            };
        }
        Some(self.per_second(tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::client::{ConnectionEnd, ConnectionUse, Stamps};
    use crate::serving::load::Arrivals;
    use crate::serving::stream::Answer;
    use crate::serving::{ReadMark, Tokens};

    const MS: u64 = 1_000_000;

    /// An answer of `tokens` tokens, one event each, evenly from its beginning
    /// to its end.
    fn answer(from_ns: u64, to_ns: u64, tokens: u64) -> Attempt {
        let read = |i| ReadMark {
            at_ns: from_ns + (to_ns - from_ns) * i / tokens,
            bytes: 1,
            events: 1,
            content_events: 1,
        };
        Attempt {
            stamps: Stamps {
                sent_ns: Some(from_ns),
                done_ns: to_ns,
                ..Stamps::default()
            },
            connection: ConnectionUse::default(),
            connection_end: ConnectionEnd::Open,
            status: Some(200),
            reads: (1..=tokens).map(read).collect(),
            answer: Answer::default(),
            tokens: Tokens {
                server: Some(tokens),
                ..Tokens::default()
            },
            failure: None,
        }
    }

    /// A closed loop of users whose answers take 100 ms, begun `apart_ns` after
    /// one another.
    fn closed(users: u32, requests: u32, apart_ns: u64) -> (Load, Vec<Attempt>) {
        let load = Load {
            concurrency: users,
            requests,
            sweep: Some(users),
            ..Load::default()
        };
        let mut free: Vec<u64> = (0..u64::from(users)).map(|u| u * apart_ns).collect();
        let attempts = (0..load.per_slot()).map(|_| {
            let next = free.iter_mut().min().unwrap();
            let from = *next;
            *next += 100 * MS;
            answer(from, *next, 10)
        });
        let attempts = attempts.collect();
        (load, attempts)
    }

    /// Users by latency, whether they move in step or spread out, and whatever
    /// part of a wave the block ends in.
    #[test]
    fn throughput_of_a_closed_loop_is_users_over_latency() {
        for (users, requests) in [(1, 8), (4, 16), (16, 32), (5, 32), (16, 20)] {
            for apart in [100 * MS / u64::from(users), 1, 0] {
                let (load, attempts) = closed(users, requests, apart);
                let busy = AllBusy::of(&load, &attempts).unwrap();
                let expected = 10.0 * 10.0 * f64::from(users);
                let tokens = busy.tokens_per_s(&attempts).unwrap();
                // Answers that end together are cut inside their last token.
                let cut = f64::from(users) / f64::from(10 * requests);
                assert!(
                    (tokens / expected - 1.0).abs() <= cut,
                    "{users} users, {requests} requests, {apart} ns: {tokens} of {expected}"
                );
            }
            let (load, attempts) = closed(users, requests, 100 * MS / u64::from(users));
            let rate = AllBusy::of(&load, &attempts)
                .unwrap()
                .answers_per_s(&attempts);
            assert!(
                (rate / (10.0 * f64::from(users)) - 1.0).abs() < 1e-4,
                "{rate}"
            );
        }
    }

    #[test]
    fn what_failed_is_no_throughput_and_what_is_unknown_is_missing() {
        let (load, mut attempts) = closed(4, 16, 25 * MS);
        let busy = AllBusy::of(&load, &attempts).unwrap();
        let whole = busy.tokens_per_s(&attempts).unwrap();
        let failed = &mut attempts[10];
        failed.failure = Some(crate::serving::client::Failure {
            class: crate::serving::client::ErrorClass::Reset,
            detail: String::new(),
        });
        failed.tokens.server = None;
        assert!(busy.tokens_per_s(&attempts).unwrap() < whole);
        attempts[9].tokens.server = None;
        assert_eq!(busy.tokens_per_s(&attempts), None);
        let open = Load {
            open: Some((5.0, Arrivals::Poisson)),
            ..load
        };
        assert_eq!(AllBusy::of(&open, &attempts), None);
    }
}
