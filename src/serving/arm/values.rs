//! From the attempts of a slot to its values and flags.

use super::load::{Load, Mode};
use super::metrics::{defined, finish_code, ids, latencies};
use super::proved;
use super::subject::Served;
use super::throughput::{AllBusy, THROUGHPUT};
use crate::serving::Attempt;
use crate::serving::load::{ArrivalProof, Lag};
use evenhand_harness::estimate::trend;
use evenhand_harness::plan::SlotFlags;
use evenhand_harness::suite::ArmError;

/// The client's own thread may be busy for this share of a slot.
const BUSY: f64 = 0.8;
/// A latency must be this many times the client's own error.
const ABOVE_CLIENT_ERROR: f64 = 10.0;

impl Served {
    /// Values of the slot; the primary one comes back.
    pub(super) fn evaluate(
        &mut self,
        indices: &[u64],
        attempts: &[Attempt],
        cpu: f64,
    ) -> Result<(Option<f64>, SlotFlags), ArmError> {
        let counts = counted(&self.load, attempts.len());
        let counted = &attempts[counts.clone()];
        let mut flags = SlotFlags::NONE;
        if counted.iter().any(|a| !a.succeeded()) {
            flags |= SlotFlags::FAILED;
        }
        if cpu > BUSY {
            flags |= SlotFlags::CLIENT_SATURATED;
        }
        if counted.iter().any(from_cache) {
            flags |= SlotFlags::CACHE_STATE;
        }
        let mut values = if self.load.mode == Mode::Cold {
            self.cold_values(&counted[0])?
        } else {
            let of = |id: &'static str| match id {
                THROUGHPUT => (id, self.throughput(attempts)),
                _ => (id, mean(counted, |a| known(id, a))),
            };
            ids(&self.load).into_iter().map(of).collect()
        };
        let at = values.iter().position(|(id, _)| *id == self.primary);
        let (_, mut primary) = values.remove(at.expect("the primary metric is one of them"));
        if flags.contains(SlotFlags::FAILED) && !self.load.in_blocks() {
            primary = None;
        }
        if self.load.sweep.is_some()
            && flags.is_empty()
            && counted.iter().any(|a| a.tokens.server.is_none())
        {
            return Err(ArmError::new(format!(
                "target `{}` does not tell how many tokens it gave (`usage`), so its throughput is \
                 not known and its cells can't be compared",
                self.target.name
            )));
        }
        // A throughput is no time: what it comes from is.
        let timed = match &*self.primary {
            THROUGHPUT => mean(counted, |a| defined("full@sent").value(a)),
            _ => primary.filter(|_| self.primary.contains('@')),
        };
        if let Some(value) = timed
            && value < ABOVE_CLIENT_ERROR * self.client_error.p50_ns as f64
        {
            flags |= SlotFlags::CLIENT_SATURATED;
        }
        let work = indices[counts]
            .iter()
            .map(|&i| self.load.digest(&self.target, self.seed, i))
            .fold(0, |all, one| all ^ one);
        self.secondary.clear();
        self.secondary
            .extend(values.into_iter().map(|(_, value)| value));
        self.secondary.extend([
            mean(counted, |a| a.tokens.server.map(|n| n as f64)),
            mean(counted, |a| a.succeeded().then(|| finish_code(a))),
            Some(work as f64),
            mean(counted, |a| defined("reads.events_per_read").value(a)),
            Some(cpu),
        ]);
        if self.load.in_blocks() {
            flags |= self.block_values(attempts, counted);
        }
        // The user of a failed request never got what the metric waits for.
        let sample = |a: &Attempt| known(&self.primary, a).filter(|_| a.succeeded());
        let tails = self.load.tails.iter();
        self.samples = tails
            .map(|_| counted.iter().map(sample).collect())
            .collect();
        // A quantile is no value of a slot.
        self.secondary.extend(self.samples.iter().map(|_| None));
        Ok((primary, flags))
    }

    /// `None` in open loop, and where the server does not count its tokens.
    fn throughput(&self, attempts: &[Attempt]) -> Option<f64> {
        AllBusy::of(&self.load, attempts)?.tokens_per_s(attempts)
    }

    /// Rate, lag and trend of a block.
    fn block_values(&mut self, attempts: &[Attempt], counted: &[Attempt]) -> SlotFlags {
        let mut flags = SlotFlags::NONE;
        if self.load.sweep.is_none() {
            self.secondary.push(self.throughput(attempts));
        }
        let rate = match &self.load.open {
            None => AllBusy::of(&self.load, attempts).map(|busy| busy.answers_per_s(attempts)),
            Some(_) => {
                let from = counted.iter().filter_map(|a| a.stamps.sent_ns).min();
                let to = counted.iter().map(|a| a.stamps.done_ns).max();
                let done = counted.iter().filter(|a| a.succeeded()).count() as f64;
                let rate = from.zip(to).filter(|(f, t)| t > f);
                rate.map(|(f, t)| done * 1e9 / (t - f) as f64)
            }
        };
        self.secondary.push(rate);
        if proved::outran(proved::rate(&self.load, attempts), &self.client_error) {
            flags |= SlotFlags::CLIENT_SATURATED;
        }
        let lag = match &self.load.open {
            None => None,
            Some((rate, law)) => {
                let stamps = attempts
                    .iter()
                    .map(|a| (a.stamps.intended_ns, a.stamps.queued_ns));
                let lag = Lag::of(stamps);
                let ttft = mean(counted, |a| defined("ttft.content@sent").value(a));
                let late = lag.zip(ttft).is_some_and(|(lag, ttft)| lag.is_late(ttft));
                let sent: Vec<u64> = attempts.iter().map(|a| a.stamps.queued_ns).collect();
                // A short block can't tell its rate; what it can tell must hold.
                if late || sent.len() > 30 && !ArrivalProof::of(&sent, law, *rate).holds() {
                    flags |= SlotFlags::SCHEDULE_LATE;
                }
                lag
            }
        };
        self.secondary.push(lag.map(|l| l.p99_ns as f64));
        let trend = change(&self.latencies(counted));
        self.secondary.push(trend.map(|(size, _)| size));
        flags
    }

    /// What a trend is looked for in.
    pub(super) fn latencies(&self, attempts: &[Attempt]) -> Vec<f64> {
        let id = latencies(&self.load)[0];
        attempts
            .iter()
            .filter_map(|a| defined(id).value(a))
            .collect()
    }

    /// The parts of a cold start and their sum, from stamps of one clock.
    fn cold_values(&self, attempt: &Attempt) -> Result<Vec<(&'static str, Option<f64>)>, ArmError> {
        let running = self.running.as_ref();
        let (spawned, ready) = running.map_or((0, 0), |r| (r.spawned_ns(), r.ready_ns()));
        let startup = ready.saturating_sub(spawned) as f64;
        let handover = attempt
            .stamps
            .sent_ns
            .map(|sent| sent.saturating_sub(ready) as f64);
        let full = defined("full@sent").value(attempt);
        let total = full.map(|_| attempt.stamps.done_ns.saturating_sub(spawned) as f64);
        if let (Some(handover), Some(full), Some(total)) = (handover, full, total)
            && (startup + handover + full - total).abs() > 0.5
        {
            return Err(ArmError::new(format!(
                "the parts of the cold start do not add up: {startup} + {handover} + {full} ns is \
                 not {total} ns"
            )));
        }
        Ok(vec![
            ("cold.total", total),
            ("cold.startup", Some(startup)),
            ("cold.ttft", defined("ttft.content@sent").value(attempt)),
            ("cold.full", full),
            ("cold.handover", handover),
        ])
    }
}

/// The requests of a slot that count: not those of the ramps.
pub(super) fn counted(load: &Load, sent: usize) -> std::ops::Range<usize> {
    let counted = load.counted();
    (counted.start as usize).min(sent)..(counted.end as usize).min(sent)
}

/// Whether most of a prompt came from a cache: prompts are distinct, so this
/// is a state that nobody declared. A shared template may be cached.
fn from_cache(attempt: &Attempt) -> bool {
    attempt.answer.usage.is_some_and(|usage| {
        let cached = usage.cached_tokens.unwrap_or(0);
        usage.prompt_tokens.is_some_and(|all| 2 * cached > all)
    })
}

/// How much a straight line through the values changes from the first to the
/// last, as a fraction of their mean, and the p-value of "not at all" if they
/// were independent.
pub(super) fn change(values: &[f64]) -> Option<(f64, f64)> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let line = trend(values).ok()?;
    (mean > 0.0).then(|| (line.slope * (values.len() - 1) as f64 / mean, line.p))
}

/// An answer that came in one read tells nothing about its gaps: that is a
/// missing value, not a zero.
fn known(id: &str, attempt: &Attempt) -> Option<f64> {
    defined(id).value(attempt).filter(|value| *value > 0.0)
}

/// Mean over the attempts that have the value.
fn mean(attempts: &[Attempt], value: impl Fn(&Attempt) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = attempts.iter().filter_map(value).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn the_change_of_a_block_is_a_fraction_of_its_mean() {
        let line: Vec<f64> = (0..11).map(|i| 90.0 + 2.0 * f64::from(i)).collect();
        let (size, p) = change(&line).unwrap();
        assert!((size - 0.2).abs() < 1e-12 && p < 1e-9);
        assert_eq!(change(&[5.0; 8]), Some((0.0, 1.0)));
        assert_eq!(change(&[1.0, 2.0]), None, "two values have no trend");
        assert_eq!(change(&[0.0; 8]), None);
    }
}
