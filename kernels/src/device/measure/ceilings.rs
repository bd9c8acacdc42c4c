//! What this card can do at most, measured on it.

use super::super::DeviceError;

/// Measured ceilings of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ceilings {
    /// Bytes read and written per nanosecond by a copy much larger than the
    /// caches.
    pub bytes_per_ns: Option<f64>,
    /// Floating-point operations per nanosecond of the fastest matrix product
    /// that was run.
    pub flops_per_ns: Option<f64>,
}

/// A ceiling is a measurement, too: it is taken to be this uncertain.
const UNCERTAINTY: f64 = 0.05;

impl Ceilings {
    /// Share of the memory ceiling, when the inputs had to come from memory.
    #[must_use]
    pub fn memory_share(&self, bytes: u64, ns: f64, cold: bool) -> Option<f64> {
        let ceiling = self.bytes_per_ns.filter(|_| cold && bytes > 0)?;
        Some(bytes as f64 / ns / ceiling)
    }

    /// Share of the arithmetic ceiling.
    #[must_use]
    pub fn arithmetic_share(&self, flops: u64, ns: f64) -> Option<f64> {
        let ceiling = self.flops_per_ns.filter(|_| flops > 0)?;
        Some(flops as f64 / ns / ceiling)
    }

    /// Refuses a launch that is faster than the card can be.
    ///
    /// # Errors
    /// If a share is above 100 % by more than the ceiling's own uncertainty of
    /// 5 %.
    pub fn check(&self, bytes: u64, flops: u64, ns: f64, cold: bool) -> Result<(), DeviceError> {
        let shares = [
            ("memory", self.memory_share(bytes, ns, cold)),
            ("arithmetic", self.arithmetic_share(flops, ns)),
        ];
        for (ceiling, share) in shares {
            if let Some(share) = share
                && share > 1.0 + UNCERTAINTY
            {
                return Err(DeviceError::AboveCeiling {
                    percent: 100.0 * share,
                    ceiling,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faster_than_the_card_is_refused() {
        let card = Ceilings {
            bytes_per_ns: Some(1000.0),
            flops_per_ns: Some(50_000.0),
        };
        assert_eq!(card.memory_share(500_000, 1000.0, true), Some(0.5));
        assert!(card.check(1_040_000, 0, 1000.0, true).is_ok());
        assert!(matches!(
            card.check(1_060_000, 0, 1000.0, true),
            Err(DeviceError::AboveCeiling {
                ceiling: "memory",
                ..
            })
        ));
        // A hot cache is not bounded by memory.
        assert!(card.check(9_000_000, 0, 1000.0, false).is_ok());
        assert!(card.check(0, 60_000_000, 1000.0, false).is_err());
        assert_eq!(Ceilings::default().memory_share(1, 1.0, true), None);
    }
}
