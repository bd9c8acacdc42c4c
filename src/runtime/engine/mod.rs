//! Many requests on one decoder: a queue, continuous batching, sampling.
//!
//! The decoder runs on a plain thread of its own. Requests wait in a queue of
//! stated length, first come first served; then they hold a slot until they
//! end or their client goes away, which frees it within a step.

mod backend;
mod counters;
mod cpu;
mod options;
mod request;
mod sampling;
mod scheduler;
mod sequence;
mod text;
mod timings;

pub use backend::{Backend, BackendError, Work};
pub use counters::Counters;
pub use cpu::CpuBackend;
pub use options::EngineOptions;
pub use request::{
    Answer, Completion, Constraint, Event, Finish, Logprob, Prompt, Request, SubmitError, Token,
    Uncertainty,
};
pub use sampling::{Sampler, Sampling, entropy, logprob};
pub use text::TextAssembler;
pub use timings::Timings;

use super::model::Model;
use scheduler::Scheduler;
use sequence::Pending;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use timings::between;
use tokio::sync::mpsc::unbounded_channel;

/// A decoder on its own thread and the queue before it.
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    model: Arc<Model>,
    context: usize,
    longest_token: usize,
    requests: AtomicU64,
    thread: Option<JoinHandle<()>>,
}

/// What callers and the decoder's thread share.
#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    counters: Arc<Counters>,
    options: EngineOptions,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Pending>,
    /// Nothing more is taken in.
    stopping: bool,
    /// What is running is dropped.
    abandon: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Starts the decoder's thread.
    ///
    /// # Errors
    /// If an option is zero or the system gives no thread.
    pub fn start(
        model: Arc<Model>,
        backend: Box<dyn Backend>,
        options: EngineOptions,
        counters: Arc<Counters>,
    ) -> std::io::Result<Self> {
        options
            .check()
            .map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidInput, e))?;
        let tokens = model.tokenizer().vocab_size() as u32;
        let longest_token = (0..tokens)
            .map(|t| model.tokenizer().bytes(t).len())
            .max()
            .unwrap_or(1);
        let context = backend.context();
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            counters,
            options,
        });
        let scheduler = Scheduler::new(Arc::clone(&shared), Arc::clone(&model), backend);
        let thread = std::thread::Builder::new()
            .name("decoder".to_owned())
            .spawn(move || scheduler.run())?;
        Ok(Self {
            shared,
            model,
            context,
            longest_token,
            requests: AtomicU64::new(0),
            thread: Some(thread),
        })
    }

    /// Puts a request into the queue.
    ///
    /// # Errors
    /// If it can't be answered, or not now.
    pub fn submit(&self, request: Request) -> Result<Answer, SubmitError> {
        let result = self.try_submit(request);
        if result.is_err() {
            Counters::add(&self.shared.counters.refused, 1);
        }
        result
    }

    fn try_submit(&self, request: Request) -> Result<Answer, SubmitError> {
        let started = Instant::now();
        let prompt = self.tokens(&request)?;
        let tokenised = Instant::now();
        let max_tokens = self.room(&request, prompt.len())?;
        let (sender, events) = unbounded_channel();
        let answer = Answer {
            prompt_tokens: prompt.len(),
            events,
        };
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let seed = self.shared.options.seed.wrapping_add(number);
        let pending = Pending {
            request,
            prompt,
            max_tokens,
            seed,
            sender,
            started,
            tokenised,
            tokenise_ns: between(started, tokenised),
        };
        let mut queue = self.shared.lock();
        if queue.stopping {
            return Err(SubmitError::Stopping);
        }
        let limit = self.shared.options.queue;
        if queue.waiting.len() >= limit {
            // Clients that went away hold no place.
            queue.waiting.retain(|p| !p.sender.is_closed());
        }
        if queue.waiting.len() >= limit {
            return Err(SubmitError::Full { limit });
        }
        queue.waiting.push_back(pending);
        Counters::set(&self.shared.counters.waiting, queue.waiting.len());
        drop(queue);
        self.shared.wake.notify_one();
        Ok(answer)
    }

    fn tokens(&self, request: &Request) -> Result<Vec<u32>, SubmitError> {
        let too_long = |prompt| SubmitError::TooLong {
            prompt,
            max_tokens: request.max_tokens,
            context: self.context,
        };
        // Such a prompt is refused without the work of counting its tokens.
        if request.prompt.bytes() / self.longest_token > self.context {
            return Err(too_long(None));
        }
        let tokenizer = self.model.tokenizer();
        let vocabulary = self.model.config().vocab_size;
        let tokens = match &request.prompt {
            Prompt::Text(text) => tokenizer.encode(text),
            Prompt::Tokens(tokens) => tokens.clone(),
            Prompt::Chat(messages) => tokenizer
                .chat(messages)
                .map_err(|e| SubmitError::NoChat(e.to_string()))?,
        };
        if let Some(&id) = tokens.iter().find(|&&t| t as usize >= vocabulary) {
            return Err(SubmitError::UnknownToken { id, vocabulary });
        }
        match tokens.len() {
            0 => Err(SubmitError::Empty),
            n if n >= self.context => Err(too_long(Some(n))),
            _ => Ok(tokens),
        }
    }

    /// Tokens that may be generated.
    fn room(&self, request: &Request, prompt: usize) -> Result<usize, SubmitError> {
        let rest = self.context - prompt;
        let allowed = request.max_tokens.unwrap_or(rest);
        if allowed > rest {
            return Err(SubmitError::TooLong {
                prompt: Some(prompt),
                max_tokens: request.max_tokens,
                context: self.context,
            });
        }
        if let Some(Constraint {
            automaton,
            optional: false,
        }) = &request.constraint
            && automaton.shortest() > allowed
        {
            return Err(SubmitError::NoRoomForForm {
                needed: automaton.shortest(),
                allowed,
            });
        }
        Ok(allowed)
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Whether the decoder's thread is alive.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }

    /// Refuses new requests; those in the engine go on.
    pub fn refuse(&self) {
        self.shared.lock().stopping = true;
        self.shared.wake.notify_one();
    }
}

impl Drop for Engine {
    /// Drops what is running and waits for the thread.
    fn drop(&mut self) {
        {
            let mut queue = self.shared.lock();
            queue.stopping = true;
            queue.abandon = true;
        }
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the decoder was reported by the panic hook.
            let _ = thread.join();
        }
    }
}
