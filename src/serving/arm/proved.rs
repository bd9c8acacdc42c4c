//! The client's own error, proved in every worker for the load that it carries.

use super::load::Load;
use crate::serving::{Attempt, ClientError, Proof, self_proof_repeated};
use evenhand_harness::observation::{CLIENT_ERROR_FACT, CLIENT_HELD_FACT};
use evenhand_harness::suite::ArmError;
use std::sync::{Mutex, PoisonError};

/// The last proof of this process; its arms share the client.
static PROVED: Mutex<Option<ClientError>> = Mutex::new(None);

impl Load {
    /// What the client has to prove before it carries this load. How fast the
    /// users of a closed loop are depends on the server: they are taken for 25
    /// requests per second each, and more than four for 100 in all, or half a
    /// request each where that is more. Workers prove more when they see more.
    #[must_use]
    pub fn proof(&self) -> Proof {
        let users = self.sweep.unwrap_or(self.concurrency);
        let planned_rate = match &self.open {
            Some((rate, _)) => *rate,
            None => (25.0 * f64::from(users)).min(100.0f64.max(0.5 * f64::from(users))),
        };
        let planned_rate = planned_rate.max(1.0);
        let proof = Proof::default();
        // Two seconds are enough to see a rate, and five requests to see a slow one.
        let requests = (4.0 * planned_rate).clamp(5.0, f64::from(proof.requests));
        Proof {
            planned_rate,
            streams: users,
            // All streams are to be open at once.
            requests: (requests as u32).max(users.saturating_mul(2)),
            ..proof
        }
    }
}

/// Proves the client for the load that is planned, if it is not: in a short
/// form, at a rate that takes little time.
pub(super) fn before(load: &Load) -> Result<ClientError, ArmError> {
    let planned = load.proof();
    prove(
        &Proof {
            planned_rate: planned.planned_rate.max(100.0),
            requests: planned.streams.saturating_mul(2).max(20),
            tokens: 8,
            ..planned
        },
        false,
    )
}

/// Proves the client at twice the rate that a closed loop turned out to have, if
/// it was proved for less.
pub(super) fn for_rate(load: &Load, rate: f64) -> Result<ClientError, ArmError> {
    let planned = load.proof();
    prove(
        &Proof {
            planned_rate: rate,
            // A quarter of a second at least.
            requests: planned
                .streams
                .saturating_mul(2)
                .max((rate / 2.0) as u32)
                .max(20),
            tokens: 8,
            ..planned
        },
        true,
    )
}

/// Rates are compared with this much tolerance: twice a rate is none too exact.
const TOLERANCE: f64 = 1.05;

fn prove(proof: &Proof, by_rate: bool) -> Result<ClientError, ArmError> {
    let mut proved = PROVED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(proved) = *proved
        && (!by_rate || 2.0 * proof.planned_rate <= TOLERANCE * proved.rate)
    {
        return Ok(proved);
    }
    let error = self_proof_repeated(proof)
        .map_err(|e| ArmError::new(format!("the client could not be proved: {e}")))?;
    *proved = Some(error);
    Ok(error)
}

/// Whether a block was faster than the client was proved at: then the proof
/// says nothing about it.
pub(super) fn outran(rate: Option<f64>, proved: &ClientError) -> bool {
    rate.is_some_and(|rate| rate > TOLERANCE * proved.rate)
}

/// Requests per second over a whole block of a closed loop: a part of it may
/// begin and end with users that keep step.
pub(super) fn rate(load: &Load, attempts: &[Attempt]) -> Option<f64> {
    if load.open.is_some() || !load.in_blocks() {
        return None;
    }
    let begin = attempts.iter().filter_map(|a| a.stamps.sent_ns).min()?;
    let end = attempts.iter().map(|a| a.stamps.done_ns).max()?;
    (begin < end).then(|| attempts.len() as f64 * 1e9 / (end - begin) as f64)
}

/// The proof, as facts of an arm.
pub(super) fn facts(proved: &ClientError) -> [(String, String); 4] {
    [
        (CLIENT_ERROR_FACT.to_owned(), proved.p50_ns.to_string()),
        ("client_error_p99_ns".to_owned(), proved.p99_ns.to_string()),
        (
            "client_proved_rate".to_owned(),
            format!("{:.1}", proved.rate),
        ),
        (CLIENT_HELD_FACT.to_owned(), proved.held.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::block::drive;
    use super::*;
    use crate::serving::client::{Client, Options, Request};
    use crate::serving::load::Arrivals;
    use crate::serving::null_server::{NullServer, Script};
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;

    fn users(concurrency: u32) -> Load {
        Load {
            concurrency,
            requests: 36,
            ..Load::default()
        }
    }

    #[test]
    fn the_planned_rate_is_one_that_many_users_of_a_slow_server_have() {
        for (concurrency, rate) in [
            (1, 25.0),
            (4, 100.0),
            (16, 100.0),
            (256, 128.0),
            (1_000, 500.0),
        ] {
            let proof = users(concurrency).proof();
            assert_eq!(proof.planned_rate, rate, "{concurrency}");
            assert!(proof.requests >= 2 * concurrency, "all are open at once");
        }
        let open = Load {
            open: Some((3.0, Arrivals::Poisson)),
            ..Load::default()
        };
        assert_eq!(open.proof().planned_rate, 3.0);
    }

    /// Four users whose answers take 20 ms: 200 requests per second at most.
    #[test]
    fn a_faster_loop_needs_another_proof() {
        let load = users(4);
        let script = Script {
            first_us: 10_000,
            gap_us: 10_000,
            tokens: 2,
            ..Script::default()
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = NullServer::start(address, script).unwrap();
        let client = Arc::new(Client::new(server.address(), Options::default()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let body = serde_json::json!({"model": "null", "stream": true, "max_tokens": 2});
        let request = Request::json("/v1/chat/completions", &body).unwrap();
        let attempts = drive(&runtime, &client, &load, vec![request; 40], None).unwrap();
        let seen = rate(&load, &attempts).unwrap();
        assert!(seen > 5.0 && seen <= 200.0, "{seen}");

        let first = before(&load).unwrap();
        assert_eq!(first.rate, 200.0, "twice 25 for each user");
        assert!(!outran(Some(200.0), &first) && outran(Some(220.0), &first));
        assert!(!outran(None, &first));
        // What was proved stands for every slower loop, and for the other arms.
        assert_eq!(for_rate(&load, 100.0).unwrap(), first);
        let second = for_rate(&load, 150.0).unwrap();
        assert_eq!(second.rate, 300.0);
        assert_eq!(before(&load).unwrap(), second);
        assert!(!outran(Some(220.0), &second));
    }
}
