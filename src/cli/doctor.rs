//! `cargo evenhand doctor`.

use super::Failure;
use super::measure::OutputFormat;
use crate::protocol::exit;
use crate::report::style;
use evenhand_harness::observation::Finding;
use evenhand_harness::run::inspect_machine;
use schemars::JsonSchema;
use serde::Serialize;

const EXAMPLES: &str = "\
Looks at governor, load, virtualisation, clock, control group, swap, timer, GPU, NVRTC and NVML, and
says what each does to a claim. Nothing here refuses to measure: pairs share what disturbs them.

Examples:
  cargo evenhand doctor
  cargo evenhand doctor --runtime                the embedded model: size, instructions, tokens per second
  cargo evenhand doctor --format json";

/// Schema of [`Diagnosis`].
pub(super) const DOCTOR_SCHEMA: &str = "evenhand.doctor/1.0";

/// Arguments of `cargo evenhand doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// How findings are printed
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
    /// Look at the embedded model instead: size, instructions, tokens per second
    #[cfg(feature = "runtime")]
    #[arg(long)]
    runtime: bool,
    /// Which embedded model: tiny or small
    #[cfg(feature = "runtime")]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "tiny",
        requires = "runtime"
    )]
    preset: crate::runtime::Preset,
}

/// What was found about this machine.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Diagnosis {
    /// `evenhand.doctor/1.0`.
    schema: &'static str,
    /// Every check that could be made.
    findings: Vec<Finding>,
}

/// The machine, and what is there for a GPU.
fn findings() -> Vec<Finding> {
    #[allow(unused_mut)] // without kernels there is nothing to add
    let mut findings = inspect_machine();
    #[cfg(any(feature = "cuda", feature = "runtime"))]
    findings.extend(crate::device::inspect().into_iter().map(|found| Finding {
        check: found.check.to_owned(),
        good: found.effect.is_none(),
        seen: found.seen,
        effect: found.effect.unwrap_or_default().to_owned(),
    }));
    findings
}

/// Look at this machine: what disturbs timings, and what it does to a claim.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    #[cfg(feature = "runtime")]
    if arguments.runtime {
        return super::runtime_speed::run(arguments.preset, arguments.format);
    }
    let diagnosis = Diagnosis {
        schema: DOCTOR_SCHEMA,
        findings: findings(),
    };
    if arguments.format == OutputFormat::Json {
        let json = serde_json::to_string_pretty(&diagnosis).expect("plain data has a JSON form");
        anstream::println!("{json}");
        return Ok(exit::OK);
    }
    for finding in &diagnosis.findings {
        let mark = if finding.good {
            style::good("good")
        } else {
            style::warning("look")
        };
        anstream::println!("{mark}  {:<14} {}", finding.check, finding.seen);
        if !finding.good {
            anstream::println!("      {:<14} {}", "", finding.effect);
        }
    }
    let open = diagnosis.findings.iter().filter(|f| !f.good).count();
    anstream::println!(
        "\n{} checks, {}",
        diagnosis.findings.len(),
        match open {
            0 => "nothing to do".to_owned(),
            1 => "1 thing to look at".to_owned(),
            n => format!("{n} things to look at"),
        }
    );
    Ok(exit::OK)
}
