//! Driving a block of requests: closed or open loop, drained at its end.

use super::load::Load;
use crate::serving::Attempt;
use crate::serving::client::{Capture, Client, Dispatch, Request};
use crate::serving::load::open_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
        Some(schedule) => runtime
            .block_on(open_loop(client, &requests, &schedule))
            .map_err(|e| format!("the open loop: {e}"))?,
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
