//! From CUDA C++ text to a translation unit of a host compiler.

use evenhand_kernels::task::Source;

/// The names of the `extern "C" __global__` functions.
pub fn entries(text: &str) -> Vec<String> {
    let heads = text.split("extern \"C\" __global__").skip(1);
    heads
        .map(|head| {
            let name = head
                .split('(')
                .map(|before| before.trim_end().rsplit([' ', '\n', ')']).next())
                .map(|word| word.unwrap_or_default().trim_start_matches('*'))
                .find(|word| !word.is_empty() && *word != "__launch_bounds__");
            name.expect("a kernel has a name").to_owned()
        })
        .collect()
}

/// The file that a host compiler reads: the shim, the kernels with their lines
/// kept, and an entry per kernel.
pub fn translation_unit(source: &Source) -> String {
    let text: String = source.expand().lines().map(host_line).collect();
    let entries: String = entries(&text)
        .iter()
        .map(|entry| format!("SHIM_ENTRY({entry})\n"))
        .collect();
    format!("#include \"cuda_shim.h\"\nnamespace {{\n{text}}}\n{entries}")
}

/// Dynamic shared memory becomes a pointer; system headers are the shim's.
fn host_line(line: &str) -> String {
    let trimmed = line.trim();
    if trimmed.starts_with("#include <") {
        return "\n".to_owned();
    }
    let array = trimmed
        .strip_prefix("extern __shared__ ")
        .and_then(|declaration| declaration.split_once("[]"));
    let Some((declaration, _)) = array else {
        return format!("{line}\n");
    };
    let declaration = declaration
        .split_once(')')
        .map_or(declaration, |(_, rest)| rest);
    let (element, name) = declaration.trim().rsplit_once(' ').expect("type and name");
    format!("{element}* const {name} = reinterpret_cast<{element}*>(shim_state.dynamic_shared);\n")
}

#[test]
fn kernels_are_found_by_name() {
    let text = "extern \"C\" __global__ void one(int a) {}\n\
                extern \"C\" __global__ void __launch_bounds__(256)\n two(int b) {}";
    assert_eq!(entries(text), ["one", "two"]);
}

#[test]
fn dynamic_shared_memory_becomes_a_pointer() {
    let pointer = "float* const sums = reinterpret_cast<float*>(shim_state.dynamic_shared);\n";
    assert_eq!(host_line("  extern __shared__ float sums[];"), pointer);
    assert_eq!(
        host_line("extern __shared__ __align__(16) float sums[];"),
        pointer
    );
}
