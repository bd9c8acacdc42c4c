use std::fmt;

/// What a compiled kernel takes of a multiprocessor, as `ptxas -v` reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelResources {
    /// Name of the `__global__` function.
    pub entry: String,
    /// Architecture it was compiled for, such as `sm_90`.
    pub arch: String,
    /// Registers per thread.
    pub registers: u32,
    /// Static shared memory per block, in bytes.
    pub shared_bytes: u32,
    /// Local memory per thread that holds arrays and spills, in bytes; with
    /// that of called functions.
    pub stack_bytes: u32,
    /// Bytes per thread of registers stored to local memory for want of room;
    /// with those of called functions.
    pub spill_store_bytes: u32,
    /// Bytes per thread loaded back.
    pub spill_load_bytes: u32,
}

/// Reads the log of a compilation with `--ptxas-options=-v`: one entry per
/// kernel, in the order of the log. Other lines (warnings) are skipped. For a
/// virtual architecture (`compute_90`) nothing is assembled and the result is
/// empty.
///
/// # Errors
/// The first line that starts or belongs to a report and cannot be read.
pub fn parse_resources(log: &str) -> Result<Vec<KernelResources>, ResourcesError> {
    let mut done = Vec::new();
    let mut open: Option<KernelResources> = None;
    for (line, number) in log.lines().zip(1..) {
        let error = |problem| ResourcesError {
            line: number,
            problem,
            text: line.trim().to_owned(),
        };
        if let Some((_, rest)) = line.split_once("Compiling entry function ") {
            if open.is_some() {
                return Err(error("a kernel starts before the last one is complete"));
            }
            open = Some(started(rest).ok_or_else(|| error("no name and architecture in quotes"))?);
        } else if line.contains(" bytes stack frame") {
            // Functions that no kernel calls have a report as well.
            let Some(kernel) = &mut open else { continue };
            let amount = |unit| amount(line, unit).ok_or_else(|| error("a number is missing"));
            kernel.stack_bytes += amount(" bytes stack frame")?;
            kernel.spill_store_bytes += amount(" bytes spill stores")?;
            kernel.spill_load_bytes += amount(" bytes spill loads")?;
        } else if line.contains(": Used ") {
            let Some(mut kernel) = open.take() else {
                return Err(error("registers of no kernel"));
            };
            kernel.registers =
                amount(line, " registers").ok_or_else(|| error("a number is missing"))?;
            kernel.shared_bytes = amount(line, " bytes smem").unwrap_or(0);
            done.push(kernel);
        }
    }
    match open {
        None => Ok(done),
        Some(kernel) => Err(ResourcesError {
            line: log.lines().count(),
            problem: "the log ends before the registers of this kernel",
            text: kernel.entry,
        }),
    }
}

/// From `'name' for 'sm_90'`.
fn started(text: &str) -> Option<KernelResources> {
    let mut quoted = text.split('\'').skip(1).step_by(2);
    let (entry, arch) = (quoted.next()?, quoted.next()?);
    Some(KernelResources {
        entry: entry.to_owned(),
        arch: arch.to_owned(),
        registers: 0,
        shared_bytes: 0,
        stack_bytes: 0,
        spill_store_bytes: 0,
        spill_load_bytes: 0,
    })
}

/// The number before `unit`.
fn amount(line: &str, unit: &str) -> Option<u32> {
    let (before, _) = line.split_once(unit)?;
    before.rsplit([' ', ',']).next()?.parse().ok()
}

/// A report that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcesError {
    /// Line of the log, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
    /// The line.
    pub text: String,
}

impl fmt::Display for ResourcesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} of the ptxas log: {}: {:?}",
            self.line, self.problem, self.text
        )
    }
}

impl std::error::Error for ResourcesError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// From NVRTC 13.0.88: two kernels, the second with a function call.
    const LOG: &str = "\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'plain' for 'sm_80'
ptxas info    : Function properties for plain
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 29 registers, used 0 barriers, 384 bytes cmem[0]
ptxas info    : Compile time = 6.647 ms
ptxas info    : Compiling entry function 'crowded' for 'sm_80'
ptxas info    : Function properties for crowded
ptxas         .     416 bytes stack frame, 804 bytes spill stores, 832 bytes spill loads
ptxas info    : Function properties for helper
ptxas         .     8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 32 registers, used 1 barriers, 424 bytes cumulative stack size, 13316 bytes smem, 412 bytes cmem[0]
";

    #[test]
    fn every_number_is_found() {
        let kernel = |entry: &str, numbers: [u32; 5]| KernelResources {
            entry: entry.into(),
            arch: "sm_80".into(),
            registers: numbers[0],
            shared_bytes: numbers[1],
            stack_bytes: numbers[2],
            spill_store_bytes: numbers[3],
            spill_load_bytes: numbers[4],
        };
        assert_eq!(
            parse_resources(LOG).unwrap(),
            [
                kernel("plain", [29, 0, 0, 0, 0]),
                kernel("crowded", [32, 13316, 424, 808, 844]),
            ]
        );
    }

    #[test]
    fn older_compilers_indent_with_spaces_only() {
        let log = LOG.replace("ptxas         .", "               ");
        assert_eq!(parse_resources(&log), parse_resources(LOG));
    }

    #[test]
    fn other_lines_are_skipped() {
        let warning =
            "plain.cu(3): warning #177-D: variable \"x\" was declared but never referenced\n";
        assert_eq!(parse_resources(warning), Ok(vec![]));
        assert_eq!(
            parse_resources(&format!("{warning}{LOG}{warning}")),
            parse_resources(LOG)
        );
        assert_eq!(parse_resources(""), Ok(vec![]));
    }

    #[test]
    fn a_broken_report_names_its_line() {
        let problem = |log: &str| parse_resources(log).unwrap_err().to_string();
        let without = |part: &str| {
            let kept = LOG.lines().filter(|line| !line.contains(part));
            kept.map(|line| format!("{line}\n")).collect::<String>()
        };
        assert_eq!(
            problem(&without("Used 32")),
            "line 11 of the ptxas log: the log ends before the registers of this kernel: \"crowded\""
        );
        assert!(
            problem(&without("Used 29")).starts_with("line 6 of the ptxas log: a kernel starts")
        );
        assert!(problem(&without("Compiling entry")).contains("registers of no kernel"));
        assert!(problem(&LOG.replace("804 bytes", "many bytes")).contains("a number is missing"));
        assert!(problem(&LOG.replace("'plain'", "plain")).contains("no name and architecture"));
    }
}
