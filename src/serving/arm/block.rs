//! Driving a block of requests: closed or open loop, drained at its end.

use super::load::Load;
use crate::serving::Attempt;
use crate::serving::client::{Capture, Client, Dispatch, Request};
use crate::serving::clock;
use crate::serving::load::{Pace, pace};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The attempts of a block in the order of its requests.
pub(super) fn drive(
    runtime: &tokio::runtime::Runtime,
    client: &Arc<Client>,
    load: &Load,
    requests: Vec<Request>,
    schedule: Option<Vec<u64>>,
) -> Result<Vec<Attempt>, String> {
    let requests = Arc::new(requests);
    let mut captures = match schedule {
        Some(schedule) => runtime.block_on(open(client, &requests, schedule))?,
        None => runtime.block_on(closed(client, &requests, load.concurrency)),
    };
    captures.sort_by_key(|(index, _)| *index);
    Ok(captures
        .iter()
        .map(|(_, c)| Attempt::from_capture(c))
        .collect())
}

/// One request on a connection that stands before the clock starts.
pub(super) async fn one(client: &Client, request: &Request) -> Capture {
    let opened = client.open().await;
    client.send_on(opened, request, Dispatch::now()).await
}

async fn closed(
    client: &Arc<Client>,
    requests: &Arc<Vec<Request>>,
    users: u32,
) -> Vec<(usize, Capture)> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut house = JoinSet::new();
    for _ in 0..users {
        let (client, requests, next) =
            (Arc::clone(client), Arc::clone(requests), Arc::clone(&next));
        house.spawn(async move {
            let mut own = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(index) else {
                    return own;
                };
                own.push((index, one(&client, request).await));
            }
        });
    }
    house.join_all().await.into_iter().flatten().collect()
}

/// Requests leave by an absolute schedule, kept by a thread that does nothing
/// else, whatever became of the requests before.
async fn open(
    client: &Arc<Client>,
    requests: &Arc<Vec<Request>>,
    schedule: Vec<u64>,
) -> Result<Vec<(usize, Capture)>, String> {
    // The two clocks are the same one; this ties their origins.
    let head_start = Duration::from_millis(5);
    let start_ns = clock::now() + head_start.as_nanos() as u64;
    let start = Instant::now() + head_start;
    let (due, mut dues) = tokio::sync::mpsc::unbounded_channel();
    let times = schedule.clone();
    let pacer = std::thread::Builder::new()
        .name("pacer".to_owned())
        .spawn(move || {
            pace(start, &times, |index| {
                let dispatch = Dispatch::scheduled(start_ns + times[index]);
                if due.send((index, dispatch)).is_ok() {
                    Pace::On
                } else {
                    Pace::Stop
                }
            });
        })
        .map_err(|e| format!("the thread that keeps the schedule: {e}"))?;
    let mut flying = JoinSet::new();
    while let Some((index, dispatch)) = dues.recv().await {
        let (client, requests) = (Arc::clone(client), Arc::clone(requests));
        flying.spawn(async move { (index, client.send(&requests[index], dispatch).await) });
    }
    let captures = flying.join_all().await;
    pacer
        .join()
        .map_err(|_| "the thread that keeps the schedule panicked".to_owned())?;
    Ok(captures)
}
