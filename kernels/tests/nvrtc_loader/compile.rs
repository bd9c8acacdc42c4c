//! Real compilations; each test says why it skips where NVRTC is absent.

use evenhand_kernels::nvrtc::{Arch, Cache, CompileError, Compiler, Image, Nvrtc, Search};
use evenhand_kernels::task::{Header, Source};

/// A compiler with its cache in `folder`, or the reason why there is none.
fn compiler(folder: &std::path::Path) -> Option<Compiler> {
    match Nvrtc::open(&Search::from_environment()) {
        Ok(nvrtc) => Some(Compiler::new(nvrtc, Cache::in_folder(folder))),
        Err(reason) => {
            eprintln!("skipped: {reason}");
            None
        }
    }
}

const ADD: &str = "\
extern \"C\" __global__ void add(float *x, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] += 1.0f;
}
";

fn source(text: &'static str) -> Source {
    Source {
        file: "add.cu",
        text,
        headers: &[],
    }
}

#[test]
fn a_second_compilation_comes_from_the_cache_and_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let Some(compiler) = compiler(folder.path()) else {
        return;
    };
    let first = compiler.compile(&source(ADD), Arch(90)).unwrap();
    assert!(!first.cached);
    assert!(matches!(&first.image, Image::Cubin(b) if b.starts_with(b"\x7fELF")));
    assert!(first.log.contains("registers"), "{}", first.log);
    let second = compiler.compile(&source(ADD), Arch(90)).unwrap();
    assert!(second.cached);
    assert_eq!(first.image, second.image);
    assert_eq!(first.log, second.log);
    // Another architecture is another file.
    assert!(!compiler.compile(&source(ADD), Arch(100)).unwrap().cached);
    // A damaged file is compiled again.
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::write(entry.unwrap().path(), "damaged").unwrap();
    }
    assert!(!compiler.compile(&source(ADD), Arch(90)).unwrap().cached);
}

#[test]
fn equal_code_has_one_hash_whatever_its_name_and_lines() {
    let folder = tempfile::tempdir().unwrap();
    let Some(compiler) = compiler(folder.path()) else {
        return;
    };
    const MOVED: &str = "// A first line.

// Other lines, another name, and a neighbour.
extern \"C\" __global__ void neighbour(float *x) { x[threadIdx.x] *= 3.0f; }
extern \"C\" __global__ void plus_one(float *y, unsigned count) {
    const unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    y[at] = y[at] + 1.0f;
}
";
    const OTHER: &str = "\
extern \"C\" __global__ void add(float *x, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] += 2.0f;
}
";
    let hash = |text, entry| {
        let compiled = compiler.compile(&source(text), Arch(90)).unwrap();
        compiled.code_hash(entry).unwrap()
    };
    assert_eq!(hash(ADD, "add"), hash(MOVED, "plus_one"));
    assert_ne!(hash(ADD, "add"), hash(OTHER, "add"));
    assert_ne!(hash(MOVED, "neighbour"), hash(MOVED, "plus_one"));
    let compiled = compiler.compile(&source(ADD), Arch(90)).unwrap();
    assert_eq!(compiled.code_hash("missing"), None);
}

#[test]
fn an_error_names_the_line_of_the_file_it_stands_in() {
    let folder = tempfile::tempdir().unwrap();
    let Some(compiler) = compiler(folder.path()) else {
        return;
    };
    static BROKEN: [&Header; 1] = [&Header {
        file: "broken.cuh",
        text: "__device__ float f() {\n    return missing;\n}",
    }];
    let in_header = Source {
        file: "add.cu",
        text: "#include \"broken.cuh\"\nextern \"C\" __global__ void k(float *x) { *x = f(); }\n",
        headers: &BROKEN,
    };
    let after_header = Source {
        file: "add.cu",
        text: "#include \"fine.cuh\"\n\nextern \"C\" __global__ void k(float *x) { *x = y; }\n",
        headers: &[&Header {
            file: "fine.cuh",
            text: "\n\n\n",
        }],
    };
    for (source, place) in [(in_header, "broken.cuh:2: "), (after_header, "add.cu:3: ")] {
        match compiler.compile(&source, Arch(90)) {
            Err(error @ CompileError::Source { .. }) => {
                assert!(error.to_string().starts_with(place), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    // What failed is not in the cache.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_card_newer_than_the_library_gets_ptx() {
    let folder = tempfile::tempdir().unwrap();
    let Some(compiler) = compiler(folder.path()) else {
        return;
    };
    let newest = *compiler.nvrtc().architectures().unwrap().last().unwrap();
    let compiled = compiler.compile(&source(ADD), Arch(newest + 1)).unwrap();
    let text = String::from_utf8(compiled.image.bytes().to_vec()).unwrap();
    assert_eq!(compiled.image.kind(), "ptx");
    assert!(text.contains(&format!(".target sm_{newest}")), "{text}");
    assert!(text.ends_with(|c: char| c != '\0'));
    assert!(compiler.compile(&source(ADD), Arch(1)).is_err());
}

#[test]
fn the_headers_beside_the_library_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let Some(compiler) = compiler(folder.path()) else {
        return;
    };
    if compiler.nvrtc().found().includes.is_empty() {
        eprintln!(
            "skipped: no cuda_bf16.h near {}",
            compiler.nvrtc().found().library.display()
        );
        return;
    }
    const BF16: &str = "\
#include <cuda_bf16.h>
extern \"C\" __global__ void widen(const __nv_bfloat16 *x, float *y) {
    y[threadIdx.x] = __bfloat162float(x[threadIdx.x]);
}
";
    let compiled = compiler.compile(&source(BF16), Arch(90)).unwrap();
    assert!(compiled.code_hash("widen").is_some());
}

#[test]
fn what_the_measuring_runs_on_the_card_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let Some(compiler) = compiler(folder.path()) else {
        return;
    };
    let instruments = Source {
        file: "instruments.cu",
        text: include_str!("../../src/device/cuda/instruments.cu"),
        headers: &[],
    };
    for arch in [80, 90, 100] {
        let compiled = compiler.compile(&instruments, Arch(arch)).unwrap();
        for entry in ["read_clock", "empty", "spin"] {
            assert!(compiled.code_hash(entry).is_some(), "{entry} for {arch}");
        }
    }
}
