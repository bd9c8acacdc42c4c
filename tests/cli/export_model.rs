//! `cargo evenhand export-model`: the folder that others read.

use super::support::Lab;
use evenhand::runtime::{Decoder, KvCache, LoadOptions, Model, Preset, Step, WeightType, greedy};
use std::path::Path;
use std::sync::Arc;

/// Greedy ids behind a prompt.
fn answer(model: Model) -> Vec<u32> {
    let model = Arc::new(model);
    let mut tokens = model.tokenizer().encode("The order of the arms");
    let mut cache = KvCache::new(&model, tokens.len() + 8);
    let mut decoder = Decoder::new(model);
    let mut logits = Vec::new();
    let next = |_| {
        let mut steps = [Step {
            cache: &mut cache,
            tokens: &tokens,
        }];
        decoder.forward(&mut steps, &mut logits).unwrap();
        tokens = vec![greedy(&logits)];
        tokens[0]
    };
    (0..8).map(next).collect()
}

/// Reads a GGUF file from its start.
struct Gguf<'a>(&'a [u8]);

impl<'a> Gguf<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn u64(&mut self) -> usize {
        u64::from_le_bytes(self.take(8).try_into().unwrap()) as usize
    }

    fn string(&mut self) -> &'a str {
        let len = self.u64();
        std::str::from_utf8(self.take(len)).unwrap()
    }

    /// Passes over a metadata value of a type.
    fn value(&mut self, kind: u32) {
        match kind {
            4..=6 => drop(self.take(4)),
            7 => drop(self.take(1)),
            8 => drop(self.string()),
            9 => {
                let (kind, len) = (self.u32(), self.u64());
                (0..len).for_each(|_| self.value(kind));
            }
            other => panic!("metadata of type {other}"),
        }
    }
}

/// Walks through the whole header; the types of matrices. Tensors must follow
/// one another, aligned, up to the end of the file.
fn matrix_types(path: &Path) -> Vec<u32> {
    let file = std::fs::read(path).unwrap();
    let mut gguf = Gguf(&file);
    assert_eq!((gguf.take(4), gguf.u32()), (&b"GGUF"[..], 3));
    let (tensors, pairs) = (gguf.u64(), gguf.u64());
    let mut keys = Vec::new();
    for _ in 0..pairs {
        keys.push(gguf.string());
        let kind = gguf.u32();
        gguf.value(kind);
    }
    for needed in [
        "general.architecture",
        "llama.block_count",
        "tokenizer.ggml.tokens",
    ] {
        assert!(keys.contains(&needed), "{needed} is not in {keys:?}");
    }
    // Embedding, norm and output; nine tensors for each of four layers.
    assert_eq!(tensors, 3 + 4 * 9);
    let (mut end, mut kinds) = (0_usize, Vec::new());
    for _ in 0..tensors {
        let name = gguf.string();
        let dimensions = gguf.u32();
        let elements: usize = (0..dimensions).map(|_| gguf.u64()).product();
        let (kind, offset) = (gguf.u32(), gguf.u64());
        assert_eq!(offset, end.next_multiple_of(32), "{name}");
        let size = match kind {
            0 => 4,
            1 | 30 => 2,
            other => panic!("{name} has the type {other}"),
        };
        end = offset + size * elements;
        match dimensions {
            1 => assert_eq!(kind, 0, "{name}"),
            _ => kinds.push(kind),
        }
    }
    let head = file.len() - gguf.0.len();
    let data = head.next_multiple_of(32);
    assert_eq!(file.len(), data + end.next_multiple_of(32));
    kinds.dedup();
    kinds
}

#[test]
fn the_folder_is_the_same_model_and_its_gguf_file_is_whole() {
    let lab = Lab::new();
    let dir = lab.path("models/tiny");
    let name = dir.to_str().unwrap();
    for (weights, gguf, kind) in [
        (WeightType::F32, None, 0),
        (WeightType::F32, Some("f16"), 1),
        (WeightType::F32, Some("bf16"), 30),
        (WeightType::Bf16, None, 30),
    ] {
        // The folder of the round before is written over.
        let mut arguments = vec![
            "export-model",
            name,
            "--seed",
            "7",
            "--weights",
            weights.name(),
        ];
        arguments.extend(gguf.iter().flat_map(|gguf| ["--gguf", gguf]));
        let ended = lab.evenhand("", &arguments).code(0);
        assert!(ended.out.contains("tiny, seed 7"), "{}", ended.out);
        let options = LoadOptions {
            weights,
            ..LoadOptions::default()
        };
        let read = Model::load(&dir, &options).unwrap();
        let drawn = Model::preset(Preset::Tiny, 7, &options).unwrap();
        assert_eq!(answer(read), answer(drawn), "{arguments:?}");
        assert_eq!(
            matrix_types(&dir.join("model.gguf")),
            [kind],
            "{arguments:?}"
        );
    }
}

#[test]
fn other_files_of_the_folder_stay() {
    let lab = Lab::new();
    let dir = lab.path("mine");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("notes.txt"), "mine").unwrap();
    lab.evenhand("", &["export-model", dir.to_str().unwrap()])
        .code(0);
    assert_eq!(
        std::fs::read_to_string(dir.join("notes.txt")).unwrap(),
        "mine"
    );
    assert!(dir.join("model.safetensors").exists());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let lab = Lab::new();
    let file = lab.path("file");
    std::fs::write(&file, "mine").unwrap();
    for dir in [file.clone(), file.join("below")] {
        let ended = lab
            .evenhand("", &["export-model", dir.to_str().unwrap()])
            .code(1);
        assert!(ended.err.contains(dir.to_str().unwrap()), "{}", ended.err);
        assert!(ended.err.contains("another folder"), "{}", ended.err);
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}
