//! An open loop: every request leaves at its time, on a connection that stands
//! by then.

use super::dispatch::{Pace, pace};
use crate::serving::client::{Capture, Client, Connections, Dispatch, Request};
use crate::serving::clock;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How long before a request's time its connection is opened. Long beside a
/// runtime's timer and a server's accepting, short beside an idle timeout.
const LEAD: Duration = Duration::from_millis(50);
/// Until the first connection is opened.
const HEAD_START: Duration = Duration::from_millis(5);

/// Sends every request at its time (nanoseconds from a start that is now or
/// soon; ascending), whatever became of those before it. The times are kept by a
/// thread that does nothing else. A fresh connection is opened 50 ms before its
/// request's time; one that is used again is chosen when the request leaves.
/// Returns the captures with the requests' indices, in no order.
///
/// # Errors
///
/// When the thread can't be started or panics.
pub async fn open_loop(
    client: &Arc<Client>,
    requests: &Arc<Vec<Request>>,
    schedule_ns: &[u64],
) -> io::Result<Vec<(usize, Capture)>> {
    // The two clocks are the same one; this ties their origins.
    let start_ns = clock::now() + (HEAD_START + LEAD).as_nanos() as u64;
    let start = Instant::now() + HEAD_START + LEAD;
    let (senders, receivers): (Vec<_>, Vec<_>) =
        schedule_ns.iter().map(|_| oneshot::channel()).unzip();
    let times = schedule_ns.to_owned();
    let pacer = std::thread::Builder::new()
        .name("pacer".to_owned())
        .spawn(move || {
            let mut senders = senders.into_iter();
            pace(start, &times, |index| {
                let dispatch = Dispatch::scheduled(start_ns + times[index]);
                let told = senders.next().map(|sender| sender.send(dispatch));
                if matches!(told, Some(Ok(()))) {
                    Pace::On
                } else {
                    Pace::Stop
                }
            });
        })?;
    let ahead = client.options().connections == Connections::Fresh;
    let mut flying = JoinSet::new();
    for ((index, due), &at_ns) in receivers.into_iter().enumerate().zip(schedule_ns) {
        let opens = start + Duration::from_nanos(at_ns) - LEAD;
        tokio::time::sleep_until(opens.into()).await;
        let (client, requests) = (Arc::clone(client), Arc::clone(requests));
        flying.spawn(async move {
            let request = &requests[index];
            let capture = if ahead {
                let opened = client.open().await;
                client.send_on(opened, request, due.await.ok()?).await
            } else {
                client.send(request, due.await.ok()?).await
            };
            Some((index, capture))
        });
    }
    let captures = flying.join_all().await;
    pacer
        .join()
        .map_err(|_| io::Error::other("the thread that keeps the schedule panicked"))?;
    Ok(captures.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::client::Options;
    use crate::serving::null_server::{NullServer, Script};
    use std::net::{Ipv4Addr, SocketAddr};

    fn driven(connections: Connections) -> Vec<Capture> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = NullServer::start(address, Script::default()).unwrap();
        let options = Options {
            connections,
            ..Options::default()
        };
        let client = Arc::new(Client::new(server.address(), options));
        let body = serde_json::json!({"model": "null", "stream": true, "max_tokens": 2});
        let request = Request::json("/v1/chat/completions", &body).unwrap();
        let schedule_ns: Vec<u64> = (0..20).map(|i| i * 2_000_000).collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let requests = Arc::new(vec![request; schedule_ns.len()]);
        let mut captures = runtime
            .block_on(open_loop(&client, &requests, &schedule_ns))
            .unwrap();
        captures.sort_by_key(|(index, _)| *index);
        assert_eq!(captures.len(), schedule_ns.len());
        let first_ns = captures[0].1.stamps.intended_ns;
        for ((_, capture), at_ns) in captures.iter().zip(schedule_ns) {
            assert_eq!(capture.failure, None);
            let stamps = &capture.stamps;
            assert_eq!(stamps.intended_ns - first_ns, at_ns);
            assert!(stamps.queued_ns >= stamps.intended_ns, "it left early");
            assert!(stamps.sent_ns.unwrap() >= stamps.queued_ns);
        }
        captures.into_iter().map(|(_, capture)| capture).collect()
    }

    #[test]
    fn a_fresh_connection_stands_when_its_request_is_due() {
        let captures = driven(Connections::Fresh);
        let opened = |c: &Capture| c.stamps.connect_start_ns.unwrap();
        // A machine that stands still for 50 ms may open one late, not all.
        let ahead = captures
            .iter()
            .filter(|c| c.stamps.connect_end_ns.unwrap() < c.stamps.intended_ns);
        assert!(ahead.count() > captures.len() / 2);
        assert!(
            captures
                .iter()
                .all(|c| c.stamps.intended_ns - opened(c).min(c.stamps.intended_ns) < 56_000_000),
            "one was opened too early"
        );
    }

    #[test]
    fn a_connection_is_used_again_only_when_its_request_leaves() {
        let captures = driven(Connections::Reuse);
        for capture in &captures {
            let opened = capture.stamps.connect_start_ns;
            assert!(opened.is_none_or(|at| at >= capture.stamps.queued_ns));
        }
    }
}
