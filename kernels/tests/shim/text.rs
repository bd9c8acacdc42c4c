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

/// Shared memory becomes what the shim hands out; system headers are the
/// shim's.
fn host_line(line: &str) -> String {
    let code = line.split("//").next().unwrap_or_default().trim();
    if code.starts_with("#include <") {
        return "\n".to_owned();
    }
    if let Some(array) = code.strip_prefix("extern __shared__ ") {
        let (element, name, _) = declaration(array);
        return format!(
            "{element}* const {name} = reinterpret_cast<{element}*>(shim_state.dynamic_shared);\n"
        );
    }
    if let Some(array) = code.strip_prefix("__shared__ ") {
        let (element, name, dims) = declaration(array);
        return format!("SHIM_SHARED({element}, {name}, {dims})\n");
    }
    assert!(
        !code.contains("__shared__"),
        "one declaration of shared memory a line, not {line:?}"
    );
    format!("{line}\n")
}

/// Type, name and dimensions of a declaration of one variable.
fn declaration(text: &str) -> (&str, &str, &str) {
    let text = text
        .strip_prefix("__align__(16) ")
        .unwrap_or(text)
        .strip_suffix(';');
    let text = text.filter(|text| !text.contains([',', '=']));
    let text = text.expect("a declaration of one variable without a value");
    let (head, dims) = text.split_at(text.find('[').unwrap_or(text.len()));
    let (element, name) = head.trim().rsplit_once(' ').expect("type and name");
    (element.trim(), name, dims)
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

#[test]
fn static_shared_memory_is_asked_for() {
    let line = "    __shared__ Key keys[2][TILE]; // sorted";
    assert_eq!(host_line(line), "SHIM_SHARED(Key, keys, [2][TILE])\n");
    assert_eq!(
        host_line("__shared__ float total;"),
        "SHIM_SHARED(float, total, )\n"
    );
}
