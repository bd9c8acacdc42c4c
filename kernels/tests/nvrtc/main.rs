//! Every CUDA C++ text through NVIDIA's compiler, for the architectures that
//! count, within its budget of registers and spills. Needs no GPU; skips with
//! the reason where there is no NVRTC.

#![cfg(feature = "cuda")]

mod compiler;

use compiler::Compiler;
use evenhand_kernels::cuda::{Budget, parse_resources};
use evenhand_kernels::tasks;
use std::collections::BTreeSet;
use std::io::{self, Write as _};

/// A100, H100 and H200, B200.
const ARCHITECTURES: [&str; 3] = ["sm_80", "sm_90", "sm_100"];

/// The compiler; without one a word on why the test that asks does nothing.
fn compiler() -> Option<Compiler> {
    match Compiler::load() {
        Ok(compiler) => Some(compiler),
        // Who names a compiler wants it used.
        Err(reason) if Compiler::is_named() => panic!("{reason}"),
        Err(reason) => {
            // Not `eprintln!`: the test harness would hold it back.
            let thread = std::thread::current();
            let test = thread.name().unwrap_or("a test");
            let _ = writeln!(io::stderr(), "{test}: skipped, {reason}");
            None
        }
    }
}

#[test]
fn every_kernel_compiles_within_its_budget() {
    let Some(compiler) = compiler() else { return };
    let mut failures = Vec::new();
    for source in tasks::sources() {
        let text = source.expand();
        for arch in ARCHITECTURES {
            let compiled = match compiler.compile(&text, arch) {
                Ok(compiled) => compiled,
                Err(messages) => {
                    failures.push(format!("{} for {arch}: {messages}", source.file));
                    continue;
                }
            };
            assert!(compiled.cubin.starts_with(b"\x7fELF"), "{}", source.file);
            if compiled.log.contains("warning") {
                failures.push(format!("{} for {arch}: {}", source.file, compiled.log));
            }
            let kernels = parse_resources(&compiled.log).unwrap();
            let found: BTreeSet<&str> = kernels.iter().map(|k| k.entry.as_str()).collect();
            assert_eq!(found, entries(source.text), "{} for {arch}", source.file);
            for kernel in &kernels {
                eprintln!(
                    "{:<34} {:<6} {:>3} registers {:>6} bytes shared {:>4} bytes spilled",
                    kernel.entry,
                    kernel.arch,
                    kernel.registers,
                    kernel.shared_bytes,
                    kernel.spill_store_bytes + kernel.spill_load_bytes,
                );
                failures.extend(Budget::of(&kernel.entry).check(kernel).err());
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Names of the kernels in a text.
fn entries(text: &str) -> BTreeSet<&str> {
    let heads = text.split("__global__ void ").skip(1);
    heads.filter_map(|head| head.split('(').next()).collect()
}

#[test]
fn messages_name_the_file_and_the_line() {
    let Some(compiler) = compiler() else { return };
    let broken = evenhand_kernels::task::Source {
        file: "broken.cu",
        text: "#include \"empty.cuh\"\nextern \"C\" __global__ void kernel(int n) {\n    n = missing;\n}\n",
        headers: &[&evenhand_kernels::task::Header {
            file: "empty.cuh",
            text: "// One line.\n// Two lines.\n",
        }],
    };
    let messages = compiler.compile(&broken.expand(), "sm_90").err().unwrap();
    assert!(messages.contains("broken.cu(3): error"), "{messages}");
}

#[test]
fn a_kernel_that_spills_is_caught() {
    let Some(compiler) = compiler() else { return };
    // Keeps 64 values alive where 24 registers are allowed.
    let text = "
        extern \"C\" __global__ void __launch_bounds__(1024, 2) kernel(float* x) {
            float values[64];
            for (int i = 0; i < 64; ++i) values[i] = x[threadIdx.x + 1024 * i];
            __syncthreads();
            for (int i = 0; i < 64; ++i) x[threadIdx.x * 64 + i] = values[i] * values[63 - i];
        }";
    let compiled = compiler.compile(text, "sm_90").ok().unwrap();
    let kernels = parse_resources(&compiled.log).unwrap();
    let excess = Budget::of("kernel").check(&kernels[0]).unwrap_err();
    assert!(excess.contains("bytes of spill stores"), "{excess}");
}

#[test]
fn warps_load_sixteen_bytes_at_a_time() {
    let Some(compiler) = compiler() else { return };
    let sources = tasks::sources();
    for (file, kernel) in [
        ("matvec.cu", "matvec_bf16_warp_per_row"),
        ("ffn.cu", "ffn_project_f32"),
        ("ffn.cu", "ffn_project_batched_bf16"),
        ("attention.cu", "attention_split_k_128"),
    ] {
        let source = sources.iter().find(|source| source.file == file).unwrap();
        let compiled = compiler.compile(&source.expand(), "sm_90").ok().unwrap();
        let (_, body) = compiled
            .ptx
            .split_once(&format!(".entry {kernel}("))
            .unwrap();
        let body = body.split(".entry ").next().unwrap();
        let wide = body
            .lines()
            .any(|line| line.contains("ld.global") && line.contains(".v4."));
        assert!(wide, "{kernel} has no 16-byte load");
    }
}
