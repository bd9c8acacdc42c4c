//! A real card. Every test says why it is skipped where there is none.
//!
//! Faults leave nothing to go on with in their process, so each is a process
//! of its own: this test starts itself again.

#![cfg(feature = "cuda")]

mod faults;
mod right;

use evenhand_kernels::device::{Choice, CudaDevice, DeviceError, Probe, Selector, probe};
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One test at a time: they would see each other's work and memory.
static ALONE: Mutex<()> = Mutex::new(());

/// The first card, for this test alone; `None` where there is none.
fn card(test: &str) -> Option<(MutexGuard<'static, ()>, CudaDevice)> {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = match probe() {
        Probe::Ready { .. } => CudaDevice::open(&Selector::First),
        absent => Err(DeviceError::Unavailable(absent.to_string())),
    };
    match opened {
        Ok(card) => Some((alone, card)),
        Err(DeviceError::Unavailable(reason)) => {
            // Not `eprintln!`, which the test harness keeps from a passing test.
            let line = format!("{test}: skipped, {reason}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn cards_are_those_that_nvidia_smi_lists() {
    let Some((_alone, _)) = card("cards_are_those_that_nvidia_smi_lists") else {
        return;
    };
    let Ok(listed) = std::process::Command::new("nvidia-smi").arg("-L").output() else {
        let _ = writeln!(std::io::stderr(), "skipped: nvidia-smi does not start");
        return;
    };
    let Probe::Ready { cards, .. } = probe() else {
        panic!("opened, and not there");
    };
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for card in &cards {
        let line = listed.lines().find(|line| line.contains(&card.uuid));
        let line = line.unwrap_or_else(|| panic!("{} is not in {listed}", card.uuid));
        assert!(line.contains(&card.name), "{line}: {}", card.name);
        let selector: Choice = format!("cuda:{}", card.uuid).parse().unwrap();
        assert!(evenhand_kernels::device::open(&selector).is_ok());
    }
}
