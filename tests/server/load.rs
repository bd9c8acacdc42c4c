//! Many requests at once.

use crate::client::{Stream, get, metric, ok, post, shared, stream, wait_for};
use evenhand::runtime::engine::{
    Backend, BackendError, Counters, CpuBackend, Engine, EngineOptions, Event, Prompt, Request,
    Sampling, Work,
};
use evenhand::runtime::{LoadOptions, Model, Options, Preset, Runtime};
use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

const TEXT: &str = "/v1/completions";

fn body(number: usize, temperature: f64) -> Value {
    json!({
        "model": "tiny", "prompt": format!("Stream {number} of many"), "max_tokens": 10,
        "temperature": temperature, "seed": number, "return_token_ids": true,
    })
}

#[test]
fn sixty_four_streams_at_once_say_what_each_says_alone() {
    let together: Vec<Value> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|i| scope.spawn(move || stream(shared(), TEXT, &body(i, (i % 2) as f64))))
            .collect();
        let ids = |events: Vec<Value>| events.last().unwrap()["evenhand"]["token_ids"].clone();
        threads
            .into_iter()
            .map(|t| ids(t.join().unwrap()))
            .collect()
    });
    for (i, ids) in together.iter().enumerate() {
        let alone = ok(shared(), TEXT, &body(i, (i % 2) as f64));
        assert_eq!(alone["evenhand"]["token_ids"], *ids, "stream {i}");
    }
}

/// Slots and numbers of tokens of every step.
type Steps = Vec<Vec<(usize, usize)>>;

/// Notes which slots took part in each step with how many tokens. The first
/// step waits until every request is there, however busy the machine is.
struct Recorder {
    inner: CpuBackend,
    all_there: Receiver<()>,
    steps: Arc<Mutex<Steps>>,
}

impl Backend for Recorder {
    fn vocabulary(&self) -> usize {
        self.inner.vocabulary()
    }
    fn context(&self) -> usize {
        self.inner.context()
    }
    fn open(&mut self, slot: usize, capacity: usize) -> Result<(), BackendError> {
        self.inner.open(slot, capacity)
    }
    fn close(&mut self, slot: usize) {
        self.inner.close(slot);
    }
    fn clear(&mut self, slot: usize) {
        self.inner.clear(slot);
    }
    fn forward(&mut self, work: &[Work<'_>], logits: &mut Vec<f32>) -> Result<(), BackendError> {
        let step = work.iter().map(|w| (w.slot, w.tokens.len())).collect();
        // Later the channel is closed.
        let _ = self.all_there.recv();
        self.steps.lock().unwrap().push(step);
        self.inner.forward(work, logits)
    }
}

fn asked(prompt: Vec<u32>, max_tokens: usize) -> Request {
    Request {
        prompt: Prompt::Tokens(prompt),
        max_tokens: Some(max_tokens),
        sampling: Sampling {
            temperature: 0.0,
            ..Sampling::default()
        },
        stop: Vec::new(),
        ignore_end: true,
        logprobs: None,
        constraint: None,
    }
}

/// Runs requests to their end; returns the steps and the length of each answer.
fn record(requests: Vec<Request>, options: EngineOptions) -> (Steps, Vec<usize>) {
    let model = Arc::new(Model::preset(Preset::Tiny, 1, &LoadOptions::default()).unwrap());
    let steps = Arc::new(Mutex::new(Vec::new()));
    let (go, all_there) = channel();
    let backend = Recorder {
        inner: CpuBackend::new(Arc::clone(&model)),
        all_there,
        steps: Arc::clone(&steps),
    };
    let counters = Arc::new(Counters::default());
    let engine = Engine::start(model, Box::new(backend), options, counters).unwrap();
    let answers: Vec<_> = requests
        .into_iter()
        .map(|r| engine.submit(r).unwrap())
        .collect();
    drop(go);
    let mut lengths = Vec::new();
    for mut answer in answers {
        let mut length = 0;
        loop {
            match answer.events.blocking_recv().unwrap() {
                Event::Token(_) => length += 1,
                Event::Done(_) => break,
                Event::Failed(problem) => panic!("{problem}"),
            }
        }
        lengths.push(length);
    }
    drop(engine);
    let steps = steps.lock().unwrap().clone();
    (steps, lengths)
}

#[test]
fn streams_take_turns_and_none_falls_behind() {
    let requests = (0..64).map(|i| asked(vec![10 + i; 4], 30)).collect();
    let options = EngineOptions {
        batch: 16,
        ..EngineOptions::default()
    };
    let (steps, lengths) = record(requests, options);
    assert!(lengths.iter().all(|&n| n == 30));
    assert!(steps.iter().all(|s| s.len() <= 16));
    // From when all have begun until the first has its 30 tokens.
    let mut tokens = [0_usize; 64];
    let mut base: Option<[usize; 64]> = None;
    let mut widest = 0;
    for step in &steps {
        for &(slot, _) in step {
            tokens[slot] += 1;
        }
        if tokens.contains(&30) {
            break;
        }
        if base.is_none() && tokens.iter().all(|&n| n > 0) {
            base = Some(tokens);
        }
        if let Some(base) = base {
            let since: Vec<usize> = tokens.iter().zip(base).map(|(n, b)| n - b).collect();
            let (min, max) = (since.iter().min().unwrap(), since.iter().max().unwrap());
            assert!(max - min <= 1, "{since:?}");
            widest = widest.max(*max);
        }
    }
    assert!(widest >= 3, "the window of comparison has {widest} rounds");
}

#[test]
fn long_prompts_come_in_pieces_between_the_steps_of_others() {
    let requests = vec![asked(vec![7; 4], 40), asked(vec![9; 900], 2)];
    let options = EngineOptions {
        prefill_chunk: 32,
        ..EngineOptions::default()
    };
    let (steps, lengths) = record(requests, options);
    assert_eq!(lengths, [40, 2]);
    assert!(
        steps
            .iter()
            .all(|s| s.iter().filter(|w| w.1 > 1).map(|w| w.1).sum::<usize>() <= 32)
    );
    // While the long prompt was taken in, the other stream got its tokens.
    let shared_steps = steps
        .iter()
        .filter(|s| s.len() == 2 && s.iter().any(|w| w.1 == 32));
    assert!(shared_steps.count() >= 20);
}

#[test]
fn a_client_that_hangs_up_frees_its_slot() {
    let engine = EngineOptions {
        slots: 2,
        queue: 4,
        ..EngineOptions::default()
    };
    let runtime = Runtime::spawn(Options {
        engine,
        ..Options::default()
    })
    .unwrap();
    let address = runtime.address();
    let long = json!({
        "model": "tiny", "prompt": "x", "max_tokens": 4000, "stream": true, "ignore_eos": true
    });
    let mut streams: Vec<Stream> = (0..2).map(|_| Stream::open(address, TEXT, &long)).collect();
    for stream in &mut streams {
        stream.next().unwrap();
    }
    assert!(metric(address, "evenhand_requests_running") <= 2.0);
    // Those that wait count too; then the queue is full.
    let waiting: Vec<Stream> = (0..4).map(|_| Stream::open(address, TEXT, &long)).collect();
    let refused = post(address, TEXT, &long);
    assert_eq!(
        refused.status,
        429,
        "{}",
        String::from_utf8_lossy(&refused.body)
    );
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    drop(waiting);
    drop(streams);
    wait_for(address, "evenhand_requests_running", |n| n == 0.0);
    wait_for(address, "evenhand_requests_waiting", |n| n == 0.0);
    assert_eq!(
        metric(address, "evenhand_requests_total{outcome=\"cancelled\"}"),
        6.0
    );
    assert_eq!(metric(address, "evenhand_kv_tokens"), 0.0);
    // Also one that waits for a single document.
    let whole = json!({
        "model": "tiny", "prompt": "x", "max_tokens": 4000, "ignore_eos": true
    });
    let socket = crate::client::send(address, "POST", TEXT, whole.to_string().as_bytes());
    wait_for(address, "evenhand_requests_running", |n| n == 1.0);
    drop(socket);
    wait_for(address, "evenhand_requests_running", |n| n == 0.0);
    assert_eq!(
        metric(address, "evenhand_requests_total{outcome=\"cancelled\"}"),
        7.0
    );
    assert_eq!(get(address, "/health").status, 200);
}
