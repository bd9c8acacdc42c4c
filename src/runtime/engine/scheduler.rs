//! Which sequences take part in the next step.

use super::backend::{Backend, Work};
use super::counters::Counters;
use super::sequence::{Outcome, Sampled, Sequence};
use super::timings::between;
use super::{Queue, Shared};
use crate::runtime::constrain::TokenTrie;
use crate::runtime::model::Model;
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// The decoder's thread.
pub(super) struct Scheduler {
    shared: Arc<Shared>,
    model: Arc<Model>,
    backend: Box<dyn Backend>,
    /// In the order in which they had their last step.
    running: VecDeque<Sequence>,
    free: Vec<usize>,
    trie: Option<Arc<TokenTrie>>,
    logits: Vec<f32>,
}

impl Scheduler {
    pub fn new(shared: Arc<Shared>, model: Arc<Model>, backend: Box<dyn Backend>) -> Self {
        let free = (0..shared.options.slots).rev().collect();
        Self {
            shared,
            model,
            backend,
            running: VecDeque::new(),
            free,
            trie: None,
            logits: Vec::new(),
        }
    }

    /// Steps until the engine stops.
    pub fn run(mut self) {
        while self.wait_for_work() {
            let picked = self.pick();
            self.step(picked);
            self.report();
        }
    }

    /// Admits requests and drops those whose client is gone; waits when there
    /// is nothing to do. `false`: the engine stops.
    fn wait_for_work(&mut self) -> bool {
        let shared = Arc::clone(&self.shared);
        let mut queue = shared.lock();
        loop {
            if queue.abandon {
                return false;
            }
            self.sweep(&mut queue);
            self.admit(&mut queue);
            Counters::set(&shared.counters.waiting, queue.waiting.len());
            if !self.running.is_empty() {
                return true;
            }
            self.report();
            queue = shared
                .wake
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn sweep(&mut self, queue: &mut Queue) {
        let waiting = queue.waiting.len();
        queue.waiting.retain(|p| !p.sender.is_closed());
        let gone = waiting - queue.waiting.len();
        Counters::add(&self.shared.counters.cancelled, gone as u64);
        for i in (0..self.running.len()).rev() {
            if self.running[i].sender.is_closed()
                && let Some(sequence) = self.running.remove(i)
            {
                self.release(&sequence);
            }
        }
    }

    fn admit(&mut self, queue: &mut Queue) {
        while let Some(slot) = self.free.pop() {
            let Some(pending) = queue.waiting.pop_front() else {
                self.free.push(slot);
                return;
            };
            let mut sequence = Sequence::new(pending, slot, self.shared.options.statistics);
            match self.backend.open(slot, sequence.capacity()) {
                Ok(()) => self.running.push_back(sequence),
                Err(e) => {
                    sequence.fail(e.to_string());
                    self.release(&sequence);
                }
            }
        }
    }

    /// Takes the sequences of the next step: those that waited longest, with
    /// at most one chunk of prompts among them.
    fn pick(&mut self) -> Vec<Sequence> {
        let options = &self.shared.options;
        let mut budget = options.prefill_chunk;
        let mut picked = Vec::new();
        let mut i = 0;
        while picked.len() < options.batch && i < self.running.len() {
            let next = &mut self.running[i];
            let open = next.tokens.len() - next.fed;
            next.take = if !options.kv_cache {
                next.tokens.len()
            } else if next.in_prefill() {
                open.min(budget)
            } else {
                open
            };
            if next.take == 0 {
                i += 1;
                continue;
            }
            if next.in_prefill() {
                budget = budget.saturating_sub(next.take);
            }
            picked.extend(self.running.remove(i));
        }
        picked.sort_by_key(|s| s.slot);
        picked
    }

    fn step(&mut self, mut picked: Vec<Sequence>) {
        let before = Instant::now();
        let kv_cache = self.shared.options.kv_cache;
        let work: Vec<Work<'_>> = picked
            .iter()
            .map(|s| {
                let start = if kv_cache { s.fed } else { 0 };
                Work {
                    slot: s.slot,
                    tokens: &s.tokens[start..start + s.take],
                }
            })
            .collect();
        if !kv_cache {
            for piece in &work {
                self.backend.clear(piece.slot);
            }
        }
        let result = self.backend.forward(&work, &mut self.logits);
        let ns = between(before, Instant::now());
        let counters = Arc::clone(&self.shared.counters);
        Counters::add(&counters.steps, 1);
        let width = self.backend.vocabulary();
        let logits = std::mem::take(&mut self.logits);
        for (row, mut sequence) in picked.drain(..).enumerate() {
            if let Err(e) = &result {
                sequence.fail(e.to_string());
                self.release(&sequence);
                continue;
            }
            if sequence.in_prefill() {
                sequence.timings.prefill_ns += ns;
                Counters::add(&counters.prompt_tokens, sequence.take as u64);
            } else {
                sequence.timings.decode_ns += ns;
                sequence.timings.decode_steps += 1;
            }
            sequence.fed = if kv_cache {
                sequence.fed + sequence.take
            } else {
                sequence.take
            };
            if sequence.fed < sequence.tokens.len() {
                self.running.push_back(sequence);
                continue;
            }
            let row = &logits[row * width..(row + 1) * width];
            let model = Arc::clone(&self.model);
            let sampled = sequence.sample(row, &model, || self.trie());
            Counters::add(&counters.completion_tokens, 1);
            match sampled {
                Sampled::GoesOn => self.running.push_back(sequence),
                Sampled::Ended => self.release(&sequence),
            }
        }
        self.logits = logits;
    }

    /// The vocabulary as a tree; built for the first request that needs it.
    fn trie(&mut self) -> Arc<TokenTrie> {
        let tokenizer = self.model.tokenizer();
        let trie = self.trie.get_or_insert_with(|| {
            let tokens = (0..tokenizer.vocab_size() as u32).map(|token| {
                if tokenizer.is_special(token) {
                    &[][..]
                } else {
                    tokenizer.bytes(token)
                }
            });
            Arc::new(TokenTrie::new(tokens))
        });
        Arc::clone(trie)
    }

    /// Frees the slot of a sequence that ended.
    fn release(&mut self, sequence: &Sequence) {
        self.backend.close(sequence.slot);
        self.free.push(sequence.slot);
        let counters = &self.shared.counters;
        match sequence.outcome {
            Outcome::Done(finish) => counters.done(finish, &sequence.timings),
            Outcome::Failed => Counters::add(&counters.failed, 1),
            Outcome::Cancelled => Counters::add(&counters.cancelled, 1),
        }
    }

    fn report(&self) {
        let counters = &self.shared.counters;
        let sum = |of: fn(&Sequence) -> usize| self.running.iter().map(of).sum();
        Counters::set(&counters.running, self.running.len());
        Counters::set(&counters.kv_tokens, sum(|s| s.fed));
        Counters::set(&counters.kv_capacity, sum(Sequence::capacity));
    }
}

impl Drop for Scheduler {
    /// Also after a panic: those who wait must learn that nothing comes.
    fn drop(&mut self) {
        self.running.clear();
        let mut queue = self.shared.lock();
        queue.stopping = true;
        queue.waiting.clear();
    }
}
