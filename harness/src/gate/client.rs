//! What the load generator's own error refuses: a client that could not hold
//! the load, and differences that it can't tell from its own delay.

use super::{Code, Reason, Severity};
use crate::observation::{CLIENT_ERROR_FACT, CLIENT_HELD_FACT, Environment, WorkerData};

/// A client that did not hold the load, before the session or in most workers.
pub(super) fn check_client(workers: &[&WorkerData], environment: &Environment) -> Option<Reason> {
    let refuse = |detail: String| Some(Reason::new(Code::ClientSaturated, detail));
    if environment
        .facts
        .get(CLIENT_HELD_FACT)
        .is_some_and(|held| held == "false")
    {
        return refuse("its proof before the session did not hold the load".to_owned());
    }
    let failed = |worker: &&&WorkerData| {
        let held = worker.facts.iter().filter_map(|f| f.get(CLIENT_HELD_FACT));
        held.into_iter().any(|held| held == "false")
    };
    let (failed, all) = (workers.iter().filter(failed).count(), workers.len());
    if 2 * failed > all {
        return refuse(format!(
            "its proof did not hold the load in {failed} of {all} workers"
        ));
    }
    None
}

/// How many times the client's own error a claim must be about. The arms share
/// that error, so what differs of it between them is a part of it only.
const FAR_ABOVE: f64 = 3.0;

/// A claim about a time that is not far above the client's own error is at most
/// a hint. `size_ns` is what would be claimed: the effect, or the margin that it
/// lies inside of.
#[must_use]
pub fn check_client_error<'w>(
    size_ns: f64,
    workers: impl IntoIterator<Item = &'w WorkerData>,
) -> Option<Reason> {
    let mut errors: Vec<f64> = workers
        .into_iter()
        .flat_map(|worker| &worker.facts)
        .filter_map(|facts| facts.get(CLIENT_ERROR_FACT)?.parse::<f64>().ok())
        .filter(|error| error.is_finite())
        .collect();
    errors.sort_unstable_by(f64::total_cmp);
    let error = *errors.get(errors.len() / 2)?;
    (size_ns < FAR_ABOVE * error).then(|| Reason {
        severity: Severity::CapDirectional,
        ..Reason::new(
            Code::ClientSaturated,
            format!(
                "{:.1} µs would be claimed, which is not {FAR_ABOVE} times the client's own error of {:.1} µs",
                size_ns / 1e3,
                error / 1e3
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_whose_client_did_not_hold_the_load_is_refused() {
        let session = |held: Option<&str>| {
            let mut environment = Environment::default();
            if let Some(held) = held {
                let fact = CLIENT_HELD_FACT.to_owned();
                environment.facts.insert(fact, held.to_owned());
            }
            check_client(&[], &environment).map(|reason| (reason.code, reason.severity))
        };
        let refused = (Code::ClientSaturated, Severity::Invalid);
        assert_eq!(session(Some("false")), Some(refused));
        assert_eq!(session(Some("true")), None);
        assert_eq!(session(None), None);
    }
}
