//! Connections: fresh by default, used again only after a look, never a
//! silent retry.

use super::support::*;
use evenhand::serving::client::{Client, ConnectionEnd, Connections, Dispatch, ErrorClass};
use evenhand::serving::metrics::Diagnostics;
use evenhand::serving::{Attempt, client::Options};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn answer() -> String {
    let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    format!("{STREAM}{}{}0\r\n\r\n", token("a"), chunk(end))
}

fn reusing() -> Options {
    Options {
        connections: Connections::Reuse,
        watch_close: Duration::from_millis(100),
        ..options()
    }
}

fn two(client: &Client) -> (Attempt, Attempt) {
    runtime().block_on(async {
        let first = client.send(&chat(), Dispatch::now()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let second = client.send(&chat(), Dispatch::now()).await;
        (
            Attempt::from_capture(&first),
            Attempt::from_capture(&second),
        )
    })
}

#[test]
fn a_close_after_keep_alive_is_seen_and_costs_no_request() {
    let address = server(|s, _| {
        put(s, answer());
    });
    let client = Client::new(address, reusing());
    let (first, second) = two(&client);
    assert!(first.succeeded() && second.succeeded());
    assert_eq!(first.connection_end, ConnectionEnd::ClosedUnannounced);
    assert_eq!(client.connections().opened, 2);
    assert_eq!(Diagnostics::new(&[first, second]).closed_after_answer, 2);

    // Closed later than the answer's watch: found at the look before reuse.
    let address = server(|s, _| {
        put(s, answer());
        pause(50);
    });
    let options = Options {
        watch_close: Duration::ZERO,
        ..reusing()
    };
    let client = Client::new(address, options);
    let (first, second) = two(&client);
    assert!(first.succeeded() && second.succeeded());
    assert_eq!(first.connection_end, ConnectionEnd::Open);
    assert_eq!(second.connection.found_closed, 1);
    assert_eq!(client.connections().closed_by_server, 1);
}

#[test]
fn an_announced_close_is_none_of_those() {
    let address = server(|s, _| {
        let closing = answer().replace("\r\nTransfer", "\r\nConnection: close\r\nTransfer");
        put(s, closing);
    });
    let seen = attempt(address, reusing());
    assert!(seen.succeeded());
    assert_eq!(seen.connection_end, ConnectionEnd::AnnouncedClose);
}

#[test]
fn a_connection_serves_again_and_its_loss_is_not_retried() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let address = server(move |s, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        put(s, answer());
        while request(s) {
            // The second is answered; the third finds a closed door.
            if counted.fetch_add(1, Ordering::SeqCst) == 2 {
                return;
            }
            put(s, answer());
        }
    });
    let client = Client::new(address, reusing());
    let (first, second) = two(&client);
    assert!(first.succeeded() && second.succeeded());
    assert_eq!(second.connection.earlier_requests, 1);
    assert_eq!(second.stamps.connect_start_ns, None);
    // The runtime that opened the socket is gone, so a new one shows the loss.
    let third = runtime().block_on(async {
        let client = Client::new(address, reusing());
        let mut last = client.send(&chat(), Dispatch::now()).await;
        for _ in 0..2 {
            last = client.send(&chat(), Dispatch::now()).await;
        }
        last
    });
    let before = requests.load(Ordering::SeqCst);
    let third = Attempt::from_capture(&third);
    if let Some(class) = third.error_class() {
        assert_eq!(class, ErrorClass::ClosedWhileIdle);
    }
    assert_eq!(requests.load(Ordering::SeqCst), before);
}
