//! What a slot asks of a server.

use crate::serving::client::{Connections, Request, RequestError};
use crate::serving::load::{Arrivals, PromptMix};
use crate::serving::target::{Api, Target};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// In which state servers are measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A fresh process and its first request in every slot.
    Cold,
    /// One request at a time, or users without pause, on a warm server.
    #[default]
    Warm,
    /// Several users with a mixture of prompts.
    Mixed,
}

/// What a slot asks of a server: with a seed and a place in the schedule, every
/// request is determined.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// State of the server.
    pub mode: Mode,
    /// Prompts.
    pub prompts: PromptMix,
    /// Most tokens of an answer.
    pub max_tokens: u32,
    /// Sampling temperature; 0 is greedy.
    pub temperature: f64,
    /// Users of the closed loop.
    pub concurrency: u32,
    /// Requests of a slot that count, above concurrency 1 and in open loop.
    pub requests: u32,
    /// Open loop: requests per second, and how they are spaced.
    pub open: Option<(f64, Arrivals)>,
    /// Whether connections serve more than one request.
    pub connections: Connections,
    /// Id of the primary metric; `None` is the mode's own.
    pub metric: Option<String>,
    /// Quantiles of the primary metric that are claimed, too, each in (0, 1):
    /// over all requests of a worker.
    pub tails: Vec<f64>,
    /// How often a block's shortest ramp is repeated, 1 to 16, before requests
    /// count. An arm doubles it until its blocks are stationary.
    pub rounds: u32,
    /// Cells of a sweep: the most users of any cell. Slots are blocks then,
    /// whatever the users, and the throughput is the mode's own metric.
    pub sweep: Option<u32>,
}

/// Most [`Load::rounds`].
const MOST_ROUNDS: u32 = 16;
/// Prompts of requests that do not count come from here on.
const RAMPS: u64 = 1 << 30;
/// All requests of a slot are made before its clock starts.
const MOST_PER_SLOT: u64 = 1_000_000;

/// A load that can't be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LoadError(pub String);

impl Default for Load {
    fn default() -> Self {
        Self {
            mode: Mode::Warm,
            prompts: PromptMix::words(32, 32).expect("a range of one length"),
            max_tokens: 32,
            temperature: 0.0,
            concurrency: 1,
            requests: 32,
            open: None,
            connections: Connections::Fresh,
            metric: None,
            tails: Vec::new(),
            sweep: None,
            rounds: 1,
        }
    }
}

impl Load {
    /// Whether a slot is a block of requests.
    #[must_use]
    pub fn in_blocks(&self) -> bool {
        self.mode != Mode::Cold
            && (self.concurrency > 1 || self.open.is_some() || self.sweep.is_some())
    }

    /// Requests at the begin of a block that do not count: one for every user,
    /// or a tenth in open loop, times the rounds. The load goes on without draining.
    #[must_use]
    pub fn ramp(&self) -> u32 {
        self.ramp_of(self.rounds)
    }

    /// The longest ramp that the load can have. A trace may be too short for more.
    #[must_use]
    pub fn longest_ramp(&self) -> u32 {
        self.ramp_of(MOST_ROUNDS)
    }

    /// Doubles the ramp; whether it could.
    pub(super) fn lengthen_ramp(&mut self) -> bool {
        let before = self.ramp();
        self.rounds = (2 * self.rounds).min(MOST_ROUNDS);
        self.ramp() > before
    }

    fn ramp_of(&self, rounds: u32) -> u32 {
        let shortest = match self.open {
            Some(_) => (self.requests / 10).max(4),
            None => self.concurrency,
        };
        let wished = shortest.saturating_mul(rounds);
        match &self.open {
            Some((_, Arrivals::Trace { times_ns })) => {
                let left = times_ns.len().saturating_sub(self.requests as usize);
                wished
                    .min(u32::try_from(left).unwrap_or(u32::MAX))
                    .max(shortest)
            }
            _ => wished,
        }
    }

    /// Requests after those that count, so that they don't end in an emptying house.
    fn tail(&self) -> u32 {
        match self.open {
            Some(_) => 0,
            None => self.concurrency - 1,
        }
    }

    /// Which of a slot's requests count: not those of the ramps.
    #[must_use]
    pub fn counted(&self) -> std::ops::Range<u32> {
        if self.in_blocks() {
            self.ramp()..self.ramp() + self.requests
        } else {
            0..1
        }
    }

    /// The prompts of the `n`-th slot, by index. Those that count are the same
    /// whatever the users and the ramp; the ramps have prompts of their own.
    pub(super) fn indices(&self, n: u64) -> Vec<u64> {
        let counted = self.counted();
        let most = u64::from(self.longest_ramp()) + u64::from(self.tail());
        let index = |i: u32| {
            if counted.contains(&i) {
                n * counted.len() as u64 + u64::from(i - counted.start)
            } else {
                let place = if i < counted.start {
                    i
                } else {
                    i - counted.len() as u32
                };
                RAMPS + n * most + u64::from(place)
            }
        };
        (0..self.per_slot()).map(index).collect()
    }

    /// When the requests of an open-loop slot leave, nanoseconds after its
    /// start. A longer ramp begins earlier in the same schedule, so that the
    /// requests that count arrive alike whatever the ramp.
    ///
    /// # Errors
    /// If the law has no such schedule.
    pub(super) fn schedule(&self, seed: u64) -> Result<Option<Vec<u64>>, LoadError> {
        let Some((rate, law)) = &self.open else {
            return Ok(None);
        };
        let all = law
            .schedule(seed, *rate, (self.longest_ramp() + self.requests) as usize)
            .map_err(|e| LoadError(e.to_string()))?;
        let begin = (self.longest_ramp() - self.ramp()) as usize;
        let before = begin.checked_sub(1).map_or(0, |last| all[last]);
        Ok(Some(all[begin..].iter().map(|at| at - before).collect()))
    }

    /// Requests of a slot, also those that do not count.
    #[must_use]
    pub fn per_slot(&self) -> u32 {
        if self.in_blocks() {
            self.ramp() + self.requests + self.tail()
        } else {
            1
        }
    }

    /// Most connections that are open at once, where that is known: in open loop
    /// it depends on the server, and is at most a slot's requests.
    pub(super) fn most_connections(&self) -> u64 {
        u64::from(match self.open {
            Some(_) => self.per_slot().min(4096),
            None => self.sweep.unwrap_or(self.concurrency),
        })
    }

    /// Looks for what makes no sense.
    ///
    /// # Errors
    /// Says what, and what to do.
    pub fn check(&self) -> Result<(), LoadError> {
        let wrong = |text: &str| Err(LoadError(text.to_owned()));
        if self.concurrency == 0 || self.requests == 0 || self.max_tokens == 0 {
            return wrong("users, requests and max_tokens must be at least 1");
        }
        if !(1..=MOST_ROUNDS).contains(&self.rounds) {
            return wrong("a ramp has 1 to 16 rounds");
        }
        let parts = [self.longest_ramp(), self.requests, self.tail()];
        if parts.into_iter().map(u64::from).sum::<u64>() > MOST_PER_SLOT {
            return wrong("a slot has at most 1000000 requests, those of its ramps included");
        }
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            return wrong("the temperature must be a number from 0");
        }
        if self.mode == Mode::Cold && (self.concurrency > 1 || self.open.is_some()) {
            return wrong(
                "a cold start is measured with one first request; leave users and rate out",
            );
        }
        if self.sweep.is_some() && (self.mode == Mode::Cold || self.open.is_some()) {
            return wrong(
                "the cells of one server are compared in a closed loop on a warm server; leave rate \
                 and cold starts out, or compare two servers within each cell",
            );
        }
        if !self.tails.iter().all(|tail| *tail > 0.0 && *tail < 1.0) {
            return wrong("a tail is a quantile between 0 and 1, for example 0.95");
        }
        if !self.tails.is_empty() && (self.mode == Mode::Cold || self.sweep.is_some()) {
            return wrong(
                "tails are those of requests to warm servers, one or two of them; leave cold starts \
                 and cells out",
            );
        }
        if self.concurrency > 1 && self.open.is_some() {
            return wrong(
                "users belong to a closed loop and a rate to an open one: give one of them",
            );
        }
        self.schedule(0).map(|_| ())
    }

    /// Request `index` under `seed` for a target.
    ///
    /// # Errors
    /// If the target's fields can't be sent.
    pub fn request(&self, target: &Target, seed: u64, index: u64) -> Result<Request, RequestError> {
        let mut body = self.work(target, seed, index);
        body["model"] = json!(target.model);
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
        for (field, value) in &target.request {
            body[field.as_str()] = value.clone();
        }
        Request::json(target.api.path(), &body)
    }

    /// The part of a body that must be equal in all arms, as the target sends
    /// it: a field that the target sets to something else is other work.
    fn work(&self, target: &Target, seed: u64, index: u64) -> Value {
        let prompt = self.prompts.prompt(seed, index);
        let mut body = json!({"max_tokens": self.max_tokens, "temperature": self.temperature});
        match target.api {
            Api::Chat => body["messages"] = json!([{"role": "user", "content": prompt}]),
            Api::Completions => body["prompt"] = json!(prompt),
        }
        if let Value::Object(fields) = &mut body {
            for (field, value) in fields {
                if let Some(own) = target.request.get(field) {
                    value.clone_from(own);
                }
            }
        }
        body
    }

    /// 48 bits of the SHA-256 of what is asked, endpoint included: a number
    /// that a record can hold exactly, equal for equal work.
    #[must_use]
    pub fn digest(&self, target: &Target, seed: u64, index: u64) -> u64 {
        let work = self.work(target, seed, index).to_string();
        let hash = Sha256::digest(work.as_bytes());
        hash[..6]
            .iter()
            .fold(0, |n, &byte| n << 8 | u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::load::Arrivals;
    use std::net::SocketAddr;

    fn target() -> Target {
        Target::at("t", SocketAddr::from(([127, 0, 0, 1], 1)))
    }

    #[test]
    fn equal_work_has_equal_digests_whatever_the_model_is_called() {
        let load = Load::default();
        let other = Target {
            model: "other".to_owned(),
            ..target().with("cache_prompt", false)
        };
        assert_eq!(load.digest(&target(), 1, 5), load.digest(&other, 1, 5));
        assert_ne!(load.digest(&target(), 1, 5), load.digest(&target(), 1, 6));
        let longer = Load {
            max_tokens: 33,
            ..Load::default()
        };
        assert_ne!(load.digest(&target(), 1, 5), longer.digest(&target(), 1, 5));
        // A target that asks for something else does other work.
        for (field, value) in [
            ("max_tokens", json!(31)),
            ("temperature", json!(0.5)),
            ("messages", json!([])),
        ] {
            let own = target().with(field, value);
            assert_ne!(
                load.digest(&target(), 1, 5),
                load.digest(&own, 1, 5),
                "{field}"
            );
        }
        let body = load.request(&other, 1, 5).unwrap();
        let body: Value = serde_json::from_slice(body.body()).unwrap();
        assert_eq!(
            (&body["model"], &body["cache_prompt"]),
            (&json!("other"), &json!(false))
        );
    }

    #[test]
    fn loads_that_contradict_themselves_are_refused() {
        let cold = Load {
            mode: Mode::Cold,
            concurrency: 4,
            ..Load::default()
        };
        let both = Load {
            concurrency: 4,
            open: Some((5.0, Arrivals::Poisson)),
            ..Load::default()
        };
        let rate = Load {
            open: Some((0.0, Arrivals::Poisson)),
            ..Load::default()
        };
        let endless = Load {
            concurrency: 2,
            requests: u32::MAX,
            ..Load::default()
        };
        for load in [
            cold,
            both,
            rate,
            endless,
            Load {
                requests: 0,
                ..Load::default()
            },
        ] {
            assert!(load.check().is_err(), "{load:?}");
        }
        assert!(Load::default().check().is_ok());
    }

    #[test]
    fn blocks_keep_the_house_full_while_it_counts() {
        let closed = Load {
            concurrency: 4,
            requests: 20,
            ..Load::default()
        };
        assert_eq!((closed.ramp(), closed.per_slot()), (4, 27));
        let open = Load {
            requests: 50,
            open: Some((5.0, Arrivals::Poisson)),
            ..Load::default()
        };
        assert_eq!((open.ramp(), open.per_slot()), (5, 55));
        assert_eq!(Load::default().per_slot(), 1);
    }

    /// The same blocks with a short and a long ramp.
    fn ramps(load: &Load) -> [Load; 2] {
        [1, 8].map(|rounds| Load {
            rounds,
            requests: 20,
            ..load.clone()
        })
    }

    #[test]
    fn what_counts_is_the_same_whatever_the_ramp() {
        let closed = Load {
            concurrency: 4,
            ..Load::default()
        };
        let [short, long] = ramps(&closed);
        assert_eq!((short.ramp(), long.ramp()), (4, 32));
        let counted = |load: &Load, slot| {
            let range = load.counted();
            load.indices(slot)[range.start as usize..range.end as usize].to_vec()
        };
        for slot in [0, 5] {
            assert_eq!(counted(&short, slot), counted(&long, slot));
        }
        // No prompt comes twice, also when the ramp grows from slot to slot.
        let slots = (0..9).flat_map(|n| [&short, &long][n % 2].indices(n as u64));
        let mut all: Vec<u64> = slots.collect();
        let prompts = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), prompts);
        assert_eq!(Load::default().indices(3), [3]);
    }

    #[test]
    fn what_counts_arrives_alike_whatever_the_ramp() {
        let trace = Arrivals::Trace {
            times_ns: (0..60).map(|i| i * i).collect(),
        };
        for law in [Arrivals::Poisson, Arrivals::Constant, trace] {
            let [short, long] = ramps(&Load {
                open: Some((10.0, law)),
                ..Load::default()
            });
            let gaps = |load: &Load| -> Vec<u64> {
                let times = load.schedule(3).unwrap().unwrap();
                assert_eq!(times.len(), load.per_slot() as usize);
                let counted = &times[load.counted().start as usize - 1..];
                counted.windows(2).map(|t| t[1] - t[0]).collect()
            };
            assert!(short.check().is_ok() && short.ramp() < long.ramp());
            assert_eq!(gaps(&short), gaps(&long));
        }
        // A trace that has no more requests has no longer ramp.
        let few = Load {
            requests: 20,
            open: Some((
                10.0,
                Arrivals::Trace {
                    times_ns: (0..27).collect(),
                },
            )),
            ..Load::default()
        };
        assert_eq!((few.ramp(), few.longest_ramp()), (4, 7));
        assert!(few.check().is_ok());
    }

    /// Cells with other users count the same requests.
    #[test]
    fn cells_of_a_sweep_count_the_same_requests() {
        let cell = |users| Load {
            concurrency: users,
            requests: 8,
            sweep: Some(16),
            ..Load::default()
        };
        let counted = |load: &Load, slot| {
            let range = load.counted();
            load.indices(slot)[range.start as usize..range.end as usize].to_vec()
        };
        assert!(cell(1).in_blocks());
        assert_eq!(cell(1).proof(), cell(16).proof());
        for slot in [0, 5] {
            assert_eq!(counted(&cell(1), slot), counted(&cell(16), slot));
        }
        let open = Load {
            open: Some((5.0, Arrivals::Poisson)),
            ..cell(1)
        };
        assert!(open.check().unwrap_err().0.contains("closed loop"));
    }
}
