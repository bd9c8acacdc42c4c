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
        watch_close: Duration::from_millis(300),
        ..options()
    }
}

/// Two requests, the second long after a server's close would be seen.
fn two(client: &Client) -> (Attempt, Attempt) {
    runtime().block_on(async {
        let first = client.send(&chat(), Dispatch::now()).await;
        tokio::time::sleep(Duration::from_millis(1000)).await;
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
        pause(300);
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
fn a_connection_serves_again() {
    let address = server(|s, _| {
        put(s, answer());
        while request(s) {
            put(s, answer());
        }
    });
    let client = Client::new(address, reusing());
    let (first, second) = two(&client);
    assert!(first.succeeded() && second.succeeded());
    assert_eq!(second.connection.earlier_requests, 1);
    assert_eq!(second.stamps.connect_start_ns, None);
    assert_eq!(client.connections().opened, 1);
    let seen = Diagnostics::new(&[first, second]);
    assert!(seen.reuse_penalty_ns.is_some());

    // Without being asked to, the client does not.
    let client = Client::new(address, options());
    let (_, second) = two(&client);
    assert_eq!(second.connection.earlier_requests, 0);
    assert_eq!(client.connections().opened, 2);
}

#[test]
fn a_request_lost_on_a_used_connection_is_not_sent_again() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let address = server(move |s, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        put(s, answer());
        // Takes the second request and leaves.
        counted.fetch_add(usize::from(request(s)), Ordering::SeqCst);
    });
    let client = Client::new(address, reusing());
    let (first, second) = two(&client);
    assert!(first.succeeded());
    assert_eq!(second.error_class(), Some(ErrorClass::ClosedWhileIdle));
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}
