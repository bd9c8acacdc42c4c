//! Before the model is there, and when it fails.

use crate::client::{Stream, get, post, read_head, send, stream, wait_for};
use evenhand::runtime::engine::{
    Backend, BackendError, Counters, Engine, EngineOptions, Event, Prompt, Request, Sampling,
    SubmitError, Work,
};
use evenhand::runtime::server::{Limits, Server, Service};
use evenhand::runtime::{LoadOptions, Model, Options, Preset};
use serde_json::json;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

const TEXT: &str = "/v1/completions";

/// What a broken model does in a step.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Error,
    NotFinite,
    Panic,
}

struct Broken {
    fault: Fault,
    /// Steps wait until this is told to go on.
    go: Receiver<()>,
}

impl Backend for Broken {
    fn vocabulary(&self) -> usize {
        4096
    }
    fn context(&self) -> usize {
        4096
    }
    fn open(&mut self, _: usize, _: usize) -> Result<(), BackendError> {
        Ok(())
    }
    fn close(&mut self, _: usize) {}
    fn clear(&mut self, _: usize) {}
    fn forward(&mut self, work: &[Work<'_>], logits: &mut Vec<f32>) -> Result<(), BackendError> {
        self.go.recv().unwrap();
        logits.clear();
        logits.resize(4096 * work.len(), f32::NAN);
        match self.fault {
            Fault::Error => Err(BackendError("the weights are gone".to_owned())),
            Fault::NotFinite => Ok(()),
            Fault::Panic => panic!("planned by the test"),
        }
    }
}

fn engine(backend: impl Backend + 'static, counters: &Arc<Counters>) -> Engine {
    let model = Model::preset(Preset::Tiny, 1, &LoadOptions::default()).unwrap();
    let options = EngineOptions {
        slots: 1,
        ..EngineOptions::default()
    };
    Engine::start(
        Arc::new(model),
        Box::new(backend),
        options,
        Arc::clone(counters),
    )
    .unwrap()
}

#[test]
fn a_server_without_its_model_says_that_it_is_loading() {
    let options = Options::default();
    let service = Arc::new(Service::new(&options, Arc::default()));
    let server = Server::start(options.address, Limits::default(), Arc::clone(&service)).unwrap();
    let body = json!({"model": "tiny", "prompt": "x", "max_tokens": 1});
    for answer in [
        get(server.address(), "/health"),
        post(server.address(), TEXT, &body),
    ] {
        assert_eq!(answer.status, 503);
        assert!(answer.head.contains("retry-after: "), "{}", answer.head);
        assert_eq!(answer.json()["error"]["code"], "loading");
    }
    assert_eq!(get(server.address(), "/metrics").status, 200);
    server.stop();
}

#[test]
fn a_failing_model_is_an_error_not_an_answer() {
    for fault in [Fault::Error, Fault::NotFinite] {
        let options = Options::default();
        let counters = Arc::new(Counters::default());
        let service = Arc::new(Service::new(&options, Arc::clone(&counters)));
        let (go, steps) = channel();
        let engine = engine(Broken { fault, go: steps }, &counters);
        service.ready(Arc::new(engine));
        let server = Server::start(options.address, Limits::default(), service).unwrap();
        let body = json!({"model": "tiny", "prompt": "x", "max_tokens": 1});
        go.send(()).unwrap();
        let answer = post(server.address(), TEXT, &body);
        assert_eq!(answer.status, 500);
        assert_eq!(answer.json()["error"]["type"], "server_error");
        go.send(()).unwrap();
        let events = stream(server.address(), TEXT, &body);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["error"]["type"], "server_error");
        wait_for(
            server.address(),
            "evenhand_requests_total{outcome=\"failed\"}",
            |n| n == 2.0,
        );
    }
}

#[test]
fn a_decoder_that_panics_leaves_nobody_waiting() {
    let options = Options::default();
    let counters = Arc::new(Counters::default());
    let service = Arc::new(Service::new(&options, Arc::clone(&counters)));
    let (go, steps) = channel();
    let broken = Broken {
        fault: Fault::Panic,
        go: steps,
    };
    let engine = Arc::new(engine(broken, &counters));
    service.ready(Arc::clone(&engine));
    let server = Server::start(options.address, Limits::default(), service).unwrap();
    let body = json!({"model": "tiny", "prompt": "x", "max_tokens": 1, "stream": true});
    // One runs, one waits for the slot.
    let running = Stream::open(server.address(), TEXT, &body);
    let waiting = Stream::open(server.address(), TEXT, &body);
    go.send(()).unwrap();
    for stream in [running, waiting] {
        let events: Vec<_> = stream.collect();
        assert_eq!(events[0]["error"]["code"], "stopping", "{events:?}");
    }
    let request = Request {
        prompt: Prompt::Text("x".to_owned()),
        max_tokens: Some(1),
        sampling: Sampling::default(),
        stop: Vec::new(),
        ignore_end: false,
        logprobs: None,
        constraint: None,
    };
    assert_eq!(engine.submit(request).unwrap_err(), SubmitError::Stopping);
    // The thread ends a moment after its requests.
    for _ in 0..1500 {
        if !engine.is_alive() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(get(server.address(), "/health").status, 503);
}

#[test]
fn a_request_during_the_stop_is_refused_and_what_runs_too_long_is_cut() {
    let options = Options {
        limits: Limits {
            drain_ms: 300,
            ..Limits::default()
        },
        ..Options::default()
    };
    let runtime = evenhand::runtime::Runtime::spawn(options).unwrap();
    let address = runtime.address();
    let body = json!({
        "model": "tiny", "prompt": "x", "max_tokens": 4000, "stream": true, "ignore_eos": true
    });
    let mut reader = send(address, "POST", TEXT, body.to_string().as_bytes());
    assert_eq!(read_head(&mut reader).0, 200);
    runtime.stop();
    // `stop` returned although 4000 tokens were asked for.
    assert!(std::net::TcpStream::connect(address).is_err());
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut reader, &mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("[DONE]"));
}

/// Dropping the receiver is how a client goes away.
#[test]
fn an_answer_that_nobody_reads_is_dropped() {
    let counters = Arc::new(Counters::default());
    let (go, steps) = channel();
    let engine = engine(
        Broken {
            fault: Fault::NotFinite,
            go: steps,
        },
        &counters,
    );
    let request = Request {
        prompt: Prompt::Text("x".to_owned()),
        max_tokens: Some(1),
        sampling: Sampling::default(),
        stop: Vec::new(),
        ignore_end: false,
        logprobs: None,
        constraint: None,
    };
    let mut first = engine.submit(request.clone()).unwrap();
    drop(engine.submit(request).unwrap());
    go.send(()).unwrap();
    assert!(matches!(
        first.events.blocking_recv(),
        Some(Event::Failed(_))
    ));
    drop(go);
    // Were it not dropped, the engine would step for it, and panic.
    let cancelled = || {
        counters
            .cancelled
            .load(std::sync::atomic::Ordering::Relaxed)
    };
    for _ in 0..1500 {
        if cancelled() > 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(cancelled(), 1);
    assert!(engine.is_alive());
}
