//! What this card can do at most, measured on it.

use super::super::DeviceError;

/// Measured ceilings of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ceilings {
    /// Bytes read and written per nanosecond by a copy much larger than the
    /// caches.
    pub bytes_per_ns: Option<f64>,
    /// Operations per nanosecond of `f32` multiply-adds from registers.
    pub vector_flops_per_ns: Option<f64>,
    /// Operations per nanosecond of `bf16` matrix products of a warp (`mma`)
    /// from registers. The card may do more: products of a warp group, and
    /// narrower types.
    pub matrix_flops_per_ns: Option<f64>,
}

/// A ceiling is a measurement, too: it is taken to be this uncertain.
const UNCERTAINTY: f64 = 0.05;

/// The measured arithmetic is a lower bound of what the card can do: only a
/// launch that is faster by more than this factor is refused. A choice, not a
/// measurement: room for products of a warp group and for types of half
/// the width.
const ARITHMETIC_SLACK: f64 = 4.0;

impl Ceilings {
    /// Share of the memory ceiling, when the inputs had to come from memory.
    #[must_use]
    pub fn memory_share(&self, bytes: u64, ns: f64, cold: bool) -> Option<f64> {
        let ceiling = self.bytes_per_ns.filter(|_| cold && bytes > 0)?;
        Some(bytes as f64 / ns / ceiling)
    }

    /// The larger of the two measured rates of arithmetic, operations per
    /// nanosecond.
    #[must_use]
    pub fn flops_per_ns(&self) -> Option<f64> {
        let rates = [self.vector_flops_per_ns, self.matrix_flops_per_ns];
        rates.into_iter().flatten().reduce(f64::max)
    }

    /// Share of the larger measured rate of arithmetic; may be above 1.
    #[must_use]
    pub fn arithmetic_share(&self, flops: u64, ns: f64) -> Option<f64> {
        let ceiling = self.flops_per_ns().filter(|_| flops > 0)?;
        Some(flops as f64 / ns / ceiling)
    }

    /// Refuses a launch that is faster than the card can be.
    ///
    /// # Errors
    /// If the share of memory is above 100 % by more than the ceiling's own
    /// uncertainty of 5 %, or that of arithmetic above 400 %: its rate is a
    /// lower bound of what the card can do.
    pub fn check(&self, bytes: u64, flops: u64, ns: f64, cold: bool) -> Result<(), DeviceError> {
        let shares = [
            (
                "memory",
                self.memory_share(bytes, ns, cold),
                1.0 + UNCERTAINTY,
            ),
            (
                "arithmetic",
                self.arithmetic_share(flops, ns),
                ARITHMETIC_SLACK,
            ),
        ];
        for (ceiling, share, most) in shares {
            if let Some(share) = share
                && share > most
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
            vector_flops_per_ns: Some(20_000.0),
            matrix_flops_per_ns: Some(50_000.0),
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
        // The measured arithmetic is a lower bound.
        assert_eq!(card.arithmetic_share(75_000_000, 1000.0), Some(1.5));
        assert!(card.check(0, 190_000_000, 1000.0, false).is_ok());
        assert!(matches!(
            card.check(0, 210_000_000, 1000.0, false),
            Err(DeviceError::AboveCeiling {
                ceiling: "arithmetic",
                ..
            })
        ));
        assert_eq!(Ceilings::default().flops_per_ns(), None);
        assert_eq!(Ceilings::default().memory_share(1, 1.0, true), None);
    }
}
