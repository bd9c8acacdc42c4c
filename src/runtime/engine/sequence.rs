//! One request while it waits and while it runs.

use super::request::{Completion, Constraint, Event, Finish, Request, Token, Uncertainty};
use super::sampling::{Sampler, entropy, logprob};
use super::text::TextAssembler;
use super::timings::{Timings, between};
use crate::runtime::constrain::TokenTrie;
use crate::runtime::model::Model;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;

/// A request in the queue.
#[derive(Debug)]
pub(super) struct Pending {
    pub request: Request,
    pub prompt: Vec<u32>,
    pub max_tokens: usize,
    pub seed: u64,
    pub sender: UnboundedSender<Event>,
    pub started: Instant,
    pub tokenised: Instant,
    pub tokenise_ns: u64,
}

/// A request in a slot.
#[derive(Debug)]
pub(super) struct Sequence {
    pub slot: usize,
    /// Prompt and answer.
    pub tokens: Vec<u32>,
    /// Tokens that the back end has taken in.
    pub fed: usize,
    /// Tokens of the step that is being computed.
    pub take: usize,
    pub sender: UnboundedSender<Event>,
    pub timings: Timings,
    prompt_tokens: usize,
    max_tokens: usize,
    request: Request,
    sampler: Sampler,
    text: TextAssembler,
    allowed: Vec<bool>,
    started: Instant,
    entropies: Vec<f64>,
    keep_statistics: bool,
    pub outcome: Outcome,
}

/// How a sequence left its slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    /// It did not end: its client went away.
    Cancelled,
    Done(Finish),
    Failed,
}

/// What a sampled token led to.
pub(super) enum Sampled {
    GoesOn,
    Ended,
}

impl Sequence {
    pub fn new(pending: Pending, slot: usize, keep_statistics: bool) -> Self {
        let timings = Timings {
            tokenise_ns: pending.tokenise_ns,
            queue_ns: between(pending.tokenised, Instant::now()),
            ..Timings::default()
        };
        // A stop text inside of a tool call would leave it incomplete.
        let bound = pending.request.constraint.as_ref();
        let stops = match bound.is_some_and(|c| !c.optional) {
            true => &[],
            false => &pending.request.stop[..],
        };
        Self {
            slot,
            prompt_tokens: pending.prompt.len(),
            tokens: pending.prompt,
            fed: 0,
            take: 0,
            sender: pending.sender,
            timings,
            max_tokens: pending.max_tokens,
            sampler: Sampler::new(pending.request.sampling, pending.seed),
            text: TextAssembler::new(stops),
            request: pending.request,
            allowed: Vec::new(),
            started: pending.started,
            entropies: Vec::new(),
            keep_statistics,
            outcome: Outcome::Cancelled,
        }
    }

    /// Most tokens that the sequence will ever have in its cache.
    pub fn capacity(&self) -> usize {
        self.prompt_tokens + self.max_tokens
    }

    /// Whether the prompt is still being taken in.
    pub fn in_prefill(&self) -> bool {
        self.fed < self.prompt_tokens
    }

    pub fn generated(&self) -> usize {
        self.tokens.len() - self.prompt_tokens
    }

    /// Picks the next token and tells the client.
    pub fn sample(
        &mut self,
        logits: &[f32],
        model: &Model,
        trie: impl FnOnce() -> std::sync::Arc<TokenTrie>,
    ) -> Sampled {
        let before = Instant::now();
        let picked = self.pick(logits, trie);
        let token = picked.map(|id| Token {
            id,
            text: String::new(),
            in_form: false,
            logprob: self.request.logprobs.map(|top| logprob(logits, id, top)),
            entropy: self.keep_statistics.then(|| entropy(logits)),
        });
        let sampled = Instant::now();
        self.timings.sample_ns += between(before, sampled);
        match token {
            Ok(token) => self.take_in(token, model, sampled),
            Err(problem) => {
                self.fail(problem);
                Sampled::Ended
            }
        }
    }

    fn pick(
        &mut self,
        logits: &[f32],
        trie: impl FnOnce() -> std::sync::Arc<TokenTrie>,
    ) -> Result<u32, String> {
        if !logits.iter().all(|x| x.is_finite()) {
            return Err("the model computed a number that is not finite".to_owned());
        }
        let left = self.max_tokens - self.generated();
        let allowed = match &self.request.constraint {
            Some(Constraint {
                automaton,
                optional: false,
            }) => {
                trie().mark(automaton, left, &mut self.allowed);
                // A model may have more logits than its vocabulary has tokens.
                self.allowed.resize(logits.len(), false);
                Some(&self.allowed[..])
            }
            _ => None,
        };
        self.sampler
            .pick(logits, allowed)
            .ok_or_else(|| "no token of the vocabulary continues the tool call".to_owned())
    }

    /// Whether the answer's form is complete with this token.
    fn complete_form(&mut self, bytes: &[u8]) -> bool {
        let left = self.max_tokens - self.generated();
        let Some(mut constraint) = self.request.constraint.take() else {
            return false;
        };
        let fits = constraint.automaton.read(bytes)
            && constraint.automaton.shortest() <= left
            && !bytes.is_empty();
        // An answer that does not begin with the form is free.
        if constraint.optional && !fits {
            return false;
        }
        if constraint.optional {
            constraint.optional = false;
            self.text = TextAssembler::new(&[]);
        }
        let complete = constraint.automaton.is_complete();
        self.request.constraint = Some(constraint);
        complete
    }

    fn take_in(&mut self, mut token: Token, model: &Model, sampled: Instant) -> Sampled {
        let tokenizer = model.tokenizer();
        self.tokens.push(token.id);
        self.entropies.extend(token.entropy);
        let ends = model.config().eos_token_ids.contains(&token.id);
        let bytes = if tokenizer.is_special(token.id) {
            &[]
        } else {
            tokenizer.bytes(token.id)
        };
        let complete = self.complete_form(bytes);
        token.in_form = self.request.constraint.is_some();
        let (text, stopped) = self.text.push(bytes);
        token.text = text;
        let finish = if complete {
            Some(Finish::ToolCalls)
        } else if stopped || (ends && !self.request.ignore_end) {
            Some(Finish::Stop)
        } else if self.generated() == self.max_tokens {
            Some(Finish::Length)
        } else {
            None
        };
        let rest = match finish {
            Some(_) => self.text.finish(),
            None => String::new(),
        };
        self.timings.detokenise_ns += between(sampled, Instant::now());
        // A client that is gone is noticed before the next step.
        let _ = self.sender.send(Event::Token(token));
        match finish {
            Some(finish) => {
                self.finish(finish, rest);
                Sampled::Ended
            }
            None => Sampled::GoesOn,
        }
    }

    /// Set once, when the sequence ends.
    fn finish(&mut self, finish: Finish, rest: String) {
        self.timings.close(between(self.started, Instant::now()));
        let n = self.entropies.len();
        let uncertainty = (n > 0).then(|| Uncertainty {
            mean_entropy: self.entropies.iter().sum::<f64>() / n as f64,
            max_entropy: self.entropies.iter().copied().fold(0.0, f64::max),
        });
        let _ = self.sender.send(Event::Done(Box::new(Completion {
            rest,
            finish,
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.generated(),
            timings: self.timings,
            uncertainty,
        })));
        self.outcome = Outcome::Done(finish);
    }

    pub fn fail(&mut self, problem: String) {
        let _ = self.sender.send(Event::Failed(problem));
        self.outcome = Outcome::Failed;
    }
}
