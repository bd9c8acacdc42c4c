//! Every CUDA C++ text through NVIDIA's compiler, for the architectures that
//! count, within its budget of registers and spills. Needs no GPU; skips with
//! the reason where there is no NVRTC.

#![cfg(feature = "cuda")]

use evenhand_kernels::cuda::{Budget, parse_resources};
use evenhand_kernels::nvrtc::{Arch, Cache, CompileError, Compiler, Image, Nvrtc, Search};
use evenhand_kernels::task::{Header, Source};
use evenhand_kernels::tasks;
use std::collections::BTreeSet;
use std::io::{self, Write as _};

/// A100, H100 and H200, B200.
const ARCHITECTURES: [Arch; 3] = [Arch(80), Arch(90), Arch(100)];

/// The compiler, without a cache; without a compiler a word on why the test
/// that asks does nothing.
fn compiler() -> Option<Compiler> {
    let search = Search::from_environment();
    match Nvrtc::open(&search) {
        Ok(nvrtc) => Some(Compiler::new(nvrtc, Cache::off())),
        // Who names a compiler wants it used.
        Err(error) if search.nvrtc.is_some() || search.wheels.is_some() => panic!("{error}"),
        Err(error) => {
            skip(&format!("{error} (scripts/nvrtc/install.sh does that)"));
            None
        }
    }
}

/// Not `eprintln!`: the test harness would hold it back.
fn skip(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(io::stderr(), "{test}: skipped, {reason}");
}

#[test]
fn every_kernel_compiles_within_its_budget() {
    let Some(compiler) = compiler() else { return };
    let known = compiler.nvrtc().architectures().unwrap();
    let mut failures = Vec::new();
    for arch in ARCHITECTURES {
        if !known.contains(&arch.0) {
            let version = compiler.shown_version();
            skip(&format!("NVRTC {version} does not know {arch}"));
            continue;
        }
        for source in tasks::sources() {
            failures.extend(excesses(&compiler, source, arch));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// What is wrong with the machine code of a source.
fn excesses(compiler: &Compiler, source: &Source, arch: Arch) -> Vec<String> {
    let compiled = match compiler.compile(source, arch) {
        Ok(compiled) => compiled,
        Err(CompileError::Source { log, .. }) => return vec![format!("for {arch}:\n{log}")],
        Err(error) => return vec![error.to_string()],
    };
    assert!(matches!(&compiled.image, Image::Cubin(code) if code.starts_with(b"\x7fELF")));
    let mut failures = Vec::new();
    if compiled.log.contains("warning") {
        failures.push(format!("for {arch}:\n{}", compiled.log));
    }
    let kernels = parse_resources(&compiled.log).unwrap();
    let found: BTreeSet<&str> = kernels.iter().map(|k| k.entry.as_str()).collect();
    assert_eq!(found, entries(source.text), "{} for {arch}", source.file);
    for kernel in &kernels {
        println!(
            "{:<34} {:<6} {:>3} registers {:>6} bytes shared {:>4} bytes spilled",
            kernel.entry,
            kernel.arch,
            kernel.registers,
            kernel.shared_bytes,
            kernel.spill_store_bytes + kernel.spill_load_bytes,
        );
        failures.extend(Budget::of(&kernel.entry).check(kernel).err());
    }
    failures
}

/// Names of the kernels in a text.
fn entries(text: &str) -> BTreeSet<&str> {
    let heads = text.split("__global__ void ").skip(1);
    heads.filter_map(|head| head.split('(').next()).collect()
}

#[test]
fn messages_name_the_file_and_the_line() {
    let Some(compiler) = compiler() else { return };
    let broken = Source {
        file: "broken.cu",
        text: "#include \"empty.cuh\"\nextern \"C\" __global__ void kernel(int n) {\n    n = missing;\n}\n",
        headers: &[&Header {
            file: "empty.cuh",
            text: "// One line.\n// Two lines.\n",
        }],
    };
    let error = compiler.compile(&broken, Arch(90)).unwrap_err().to_string();
    assert!(error.starts_with("broken.cu:3: "), "{error}");
}

#[test]
fn a_kernel_that_spills_is_caught() {
    let Some(compiler) = compiler() else { return };
    // 64 values alive where 32 registers are allowed.
    let crowded = Source {
        file: "crowded.cu",
        text: "
        extern \"C\" __global__ void __launch_bounds__(1024, 2) kernel(float* x) {
            float values[64];
            for (int i = 0; i < 64; ++i) values[i] = x[threadIdx.x + 1024 * i];
            __syncthreads();
            for (int i = 0; i < 64; ++i) x[threadIdx.x * 64 + i] = values[i] * values[63 - i];
        }",
        headers: &[],
    };
    let compiled = compiler.compile(&crowded, Arch(90)).unwrap();
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
        let compiled = compiler.compile_to_ptx(source, Arch(90)).unwrap();
        let ptx = String::from_utf8_lossy(compiled.image.bytes()).into_owned();
        let (_, body) = ptx.split_once(&format!(".entry {kernel}(")).unwrap();
        let body = body.split(".entry ").next().unwrap();
        let wide = body
            .lines()
            .any(|line| line.contains("ld.global") && line.contains(".v4."));
        assert!(wide, "{kernel} has no 16-byte load");
    }
}

#[test]
fn the_arithmetic_that_is_timed_stays_in_registers_and_in_the_code() {
    let Some(compiler) = compiler() else { return };
    let source = Source {
        file: "ceilings.cu",
        text: include_str!("../../src/device/cuda/ceilings.cu"),
        headers: &[],
    };
    let known = compiler.nvrtc().architectures().unwrap();
    for arch in ARCHITECTURES.into_iter().filter(|a| known.contains(&a.0)) {
        let failures = excesses(&compiler, &source, arch);
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
    let compiled = compiler.compile_to_ptx(&source, Arch(90)).unwrap();
    let ptx = String::from_utf8_lossy(compiled.image.bytes()).into_owned();
    assert!(ptx.matches("fma.rn.f32").count() >= 8);
    assert!(ptx.matches("mma.sync.aligned").count() >= 4);
}
