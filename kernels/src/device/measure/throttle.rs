//! Why clocks are lower than they could be.

use std::fmt;

/// A set of reasons, with the bits that NVML gives them
/// (`nvmlClocksEventReasons`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThrottleReasons(pub u64);

impl ThrottleReasons {
    /// No work is there.
    pub const GPU_IDLE: Self = Self(1);
    /// The clocks that were set for applications.
    pub const APPLICATIONS_CLOCKS_SETTING: Self = Self(1 << 1);
    /// The power limit.
    pub const SW_POWER_CAP: Self = Self(1 << 2);
    /// The hardware halves the clocks or worse: heat, power, or the board.
    pub const HW_SLOWDOWN: Self = Self(1 << 3);
    /// Another card of the group.
    pub const SYNC_BOOST: Self = Self(1 << 4);
    /// Heat, as the driver sees it.
    pub const SW_THERMAL_SLOWDOWN: Self = Self(1 << 5);
    /// Heat, as the hardware sees it.
    pub const HW_THERMAL_SLOWDOWN: Self = Self(1 << 6);
    /// The power supply asks for less.
    pub const HW_POWER_BRAKE_SLOWDOWN: Self = Self(1 << 7);
    /// The clocks that were set for the display.
    pub const DISPLAY_CLOCK_SETTING: Self = Self(1 << 8);

    const NAMES: [(Self, &'static str); 9] = [
        (Self::GPU_IDLE, "gpu_idle"),
        (
            Self::APPLICATIONS_CLOCKS_SETTING,
            "applications_clocks_setting",
        ),
        (Self::SW_POWER_CAP, "sw_power_cap"),
        (Self::HW_SLOWDOWN, "hw_slowdown"),
        (Self::SYNC_BOOST, "sync_boost"),
        (Self::SW_THERMAL_SLOWDOWN, "sw_thermal_slowdown"),
        (Self::HW_THERMAL_SLOWDOWN, "hw_thermal_slowdown"),
        (Self::HW_POWER_BRAKE_SLOWDOWN, "hw_power_brake_slowdown"),
        (Self::DISPLAY_CLOCK_SETTING, "display_clock_setting"),
    ];

    /// Power, heat or the board: not idleness, and not clocks that were set.
    const SLOWED: u64 = Self::SW_POWER_CAP.0
        | Self::HW_SLOWDOWN.0
        | Self::SW_THERMAL_SLOWDOWN.0
        | Self::HW_THERMAL_SLOWDOWN.0
        | Self::HW_POWER_BRAKE_SLOWDOWN.0;

    /// Whether power, heat or the board slow the clocks down.
    #[must_use]
    pub fn slowed(self) -> bool {
        self.0 & Self::SLOWED != 0
    }

    /// The reasons of both.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }
}

/// The names with blanks between them; `none` for no reason.
impl fmt::Display for ThrottleReasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut names = Vec::new();
        for (reason, name) in Self::NAMES {
            if rest & reason.0 != 0 {
                names.push(name.to_owned());
            }
            rest &= !reason.0;
        }
        if rest != 0 {
            names.push(format!("{rest:#x}"));
        }
        if names.is_empty() {
            names.push("none".to_owned());
        }
        f.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_named_and_only_some_slow_down() {
        let idle = ThrottleReasons::GPU_IDLE;
        let hot = idle.and(ThrottleReasons::HW_THERMAL_SLOWDOWN);
        assert_eq!(hot.to_string(), "gpu_idle hw_thermal_slowdown");
        assert!(hot.slowed() && !idle.slowed());
        assert!(!ThrottleReasons::APPLICATIONS_CLOCKS_SETTING.slowed());
        assert_eq!(ThrottleReasons::default().to_string(), "none");
        // A reason of a driver that is newer than these names.
        assert_eq!(ThrottleReasons(1 << 12 | 1).to_string(), "gpu_idle 0x1000");
    }
}
