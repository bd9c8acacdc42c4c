//! A Llama decoder in `f64` and plain loops, over tensors by their names in a
//! checkpoint: written for reading, and independent of the runtime.

use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

pub struct Reference {
    tensors: HashMap<String, Vec<f64>>,
    layers: usize,
    heads: usize,
    kv_heads: usize,
    epsilon: f64,
    theta: f64,
}

impl Reference {
    /// Reads the folder that a model was exported to.
    pub fn load(dir: &std::path::Path) -> Self {
        let config = std::fs::read(dir.join("config.json")).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        let bytes = std::fs::read(dir.join("model.safetensors")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file.tensors().into_iter().map(|(name, view)| {
            let values = match view.dtype() {
                Dtype::F32 => view
                    .data()
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes(b.try_into().unwrap()).into())
                    .collect(),
                Dtype::BF16 => view
                    .data()
                    .chunks_exact(2)
                    .map(|b| f32::from_bits(u32::from_le_bytes([0, 0, b[0], b[1]])).into())
                    .collect(),
                other => panic!("{name} is {other:?}"),
            };
            (name, values)
        });
        let number = |name: &str| config[name].as_u64().unwrap() as usize;
        Self {
            tensors: tensors.collect(),
            layers: number("num_hidden_layers"),
            heads: number("num_attention_heads"),
            kv_heads: number("num_key_value_heads"),
            epsilon: config["rms_norm_eps"].as_f64().unwrap(),
            theta: config["rope_theta"].as_f64().unwrap(),
        }
    }

    /// The logits behind every token of a sequence.
    pub fn logits(&self, tokens: &[u32]) -> Vec<Vec<f64>> {
        let norm_f = self.tensor("model.norm.weight");
        let size = norm_f.len();
        let table = self.tensor("model.embed_tokens.weight");
        let mut states: Vec<Vec<f64>> = tokens
            .iter()
            .map(|&t| table[t as usize * size..][..size].to_vec())
            .collect();
        for layer in 0..self.layers {
            let w = |name: &str| self.tensor(&format!("model.layers.{layer}.{name}.weight"));
            let normed: Vec<_> = states
                .iter()
                .map(|x| self.norm(x, w("input_layernorm")))
                .collect();
            let attended = self.attention(&normed, &w);
            for (x, a) in states.iter_mut().zip(&attended) {
                add(x, &product(w("self_attn.o_proj"), a));
                let normed = self.norm(x, w("post_attention_layernorm"));
                let gate = product(w("mlp.gate_proj"), &normed);
                let up = product(w("mlp.up_proj"), &normed);
                let gated: Vec<f64> = gate
                    .iter()
                    .zip(&up)
                    .map(|(g, u)| g / (1.0 + (-g).exp()) * u)
                    .collect();
                add(x, &product(w("mlp.down_proj"), &gated));
            }
        }
        let head = self.tensor("lm_head.weight");
        let logits = |x: &Vec<f64>| product(head, &self.norm(x, norm_f));
        states.iter().map(logits).collect()
    }

    fn attention<'a>(&self, normed: &[Vec<f64>], w: &impl Fn(&str) -> &'a [f64]) -> Vec<Vec<f64>> {
        let project =
            |name| -> Vec<Vec<f64>> { normed.iter().map(|x| product(w(name), x)).collect() };
        let mut queries = project("self_attn.q_proj");
        let mut keys = project("self_attn.k_proj");
        let values = project("self_attn.v_proj");
        let dim = queries[0].len() / self.heads;
        for (position, x) in queries.iter_mut().enumerate() {
            self.rotate(x, dim, position);
        }
        for (position, x) in keys.iter_mut().enumerate() {
            self.rotate(x, dim, position);
        }
        let mut out = vec![vec![0.0; self.heads * dim]; normed.len()];
        for (now, out) in out.iter_mut().enumerate() {
            for head in 0..self.heads {
                let shared = head / (self.heads / self.kv_heads) * dim;
                let scores: Vec<f64> = (0..=now)
                    .map(|past| {
                        let pairs =
                            (0..dim).map(|i| queries[now][head * dim + i] * keys[past][shared + i]);
                        (pairs.sum::<f64>() / (dim as f64).sqrt()).exp()
                    })
                    .collect();
                let total: f64 = scores.iter().sum();
                for i in 0..dim {
                    let weighted = (0..=now).map(|past| scores[past] * values[past][shared + i]);
                    out[head * dim + i] = weighted.sum::<f64>() / total;
                }
            }
        }
        out
    }

    fn rotate(&self, x: &mut [f64], dim: usize, position: usize) {
        for head in x.chunks_exact_mut(dim) {
            for i in 0..dim / 2 {
                let angle = position as f64 * self.theta.powf(-2.0 * i as f64 / dim as f64);
                let (a, b) = (head[i], head[i + dim / 2]);
                head[i] = a * angle.cos() - b * angle.sin();
                head[i + dim / 2] = a * angle.sin() + b * angle.cos();
            }
        }
    }

    fn norm(&self, x: &[f64], weight: &[f64]) -> Vec<f64> {
        let mean = x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64;
        let scale = 1.0 / (mean + self.epsilon).sqrt();
        x.iter().zip(weight).map(|(v, w)| v * scale * w).collect()
    }

    fn tensor(&self, name: &str) -> &[f64] {
        &self.tensors[name]
    }
}

fn product(w: &[f64], x: &[f64]) -> Vec<f64> {
    w.chunks_exact(x.len())
        .map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum())
        .collect()
}

fn add(x: &mut [f64], delta: &[f64]) {
    for (x, d) in x.iter_mut().zip(delta) {
        *x += d;
    }
}
