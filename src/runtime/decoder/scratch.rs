//! Activations of the tokens in flight, kept between calls.

use crate::runtime::config::Config;

#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The residual stream.
    pub(super) hidden: Vec<f32>,
    pub(super) normed: Vec<f32>,
    pub(super) queries: Vec<f32>,
    pub(super) keys: Vec<f32>,
    pub(super) values: Vec<f32>,
    pub(super) attended: Vec<f32>,
    /// What a block adds to the residual stream.
    pub(super) delta: Vec<f32>,
    /// Per token: all gates, then all linear values.
    pub(super) gate_up: Vec<f32>,
    pub(super) gated: Vec<f32>,
    /// Of the attention kernel.
    pub(super) scores: Vec<f32>,
}

impl Scratch {
    /// Room for `rows` tokens.
    pub(super) fn resize(&mut self, config: &Config, rows: usize) {
        let (wide, narrow) = (config.query_width(), config.key_value_width());
        for (buffer, width) in [
            (&mut self.hidden, config.hidden_size),
            (&mut self.normed, config.hidden_size),
            (&mut self.queries, wide),
            (&mut self.keys, narrow),
            (&mut self.values, narrow),
            (&mut self.attended, wide),
            (&mut self.delta, config.hidden_size),
            (&mut self.gate_up, 2 * config.intermediate_size),
            (&mut self.gated, config.intermediate_size),
        ] {
            buffer.resize(rows * width, 0.0);
        }
    }

    /// Moves a token of the residual stream to an earlier row.
    pub(super) fn keep(&mut self, config: &Config, row: usize, to: usize) {
        let size = config.hidden_size;
        self.hidden
            .copy_within(row * size..(row + 1) * size, to * size);
    }
}
