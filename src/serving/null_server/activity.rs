//! Whether the server is awake: what a request costs more after a pause.

use super::script::Wake;

/// What the server did lately.
#[derive(Debug, Default)]
pub(super) struct Activity {
    flying: u32,
    quiet_since_ns: u64,
    /// Requests since it woke.
    since_pause: u32,
}

impl Activity {
    /// A request arrives; how much longer its first event takes, in microseconds.
    pub(super) fn arrive(&mut self, at_ns: u64, wake: Option<Wake>) -> u64 {
        let pause_ns = wake.map_or(u64::MAX, |w| w.pause_us.saturating_mul(1000));
        if self.flying == 0 && at_ns.saturating_sub(self.quiet_since_ns) >= pause_ns {
            self.since_pause = 0;
        }
        let place = self.since_pause;
        self.flying += 1;
        self.since_pause = place.saturating_add(1);
        wake.map_or(0, |w| {
            let left = u64::from(w.requests.saturating_sub(place));
            w.extra_us.saturating_mul(left) / u64::from(w.requests.max(1))
        })
    }

    /// A request is answered, or its client has gone.
    pub(super) fn leave(&mut self, at_ns: u64) {
        self.flying = self.flying.saturating_sub(1);
        self.quiet_since_ns = at_ns;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_requests_after_a_pause_take_longer() {
        let wake = Some(Wake {
            pause_us: 10,
            requests: 4,
            extra_us: 800,
        });
        let mut activity = Activity::default();
        let mut burst = |from: u64| -> Vec<u64> {
            let extra = (0..6).map(|i| activity.arrive(from + i, wake)).collect();
            (0..6).for_each(|i| activity.leave(from + 1_000 + i));
            extra
        };
        let falling = [800, 600, 400, 200, 0, 0];
        assert_eq!(burst(1_000_000), falling, "after its start");
        assert_eq!(burst(1_002_000), [0; 6], "it was busy just before");
        assert_eq!(burst(1_020_000), falling, "after a pause");
        // Time alone is no pause while a request is in flight.
        activity.arrive(2_000_000, wake);
        assert_eq!(activity.arrive(9_000_000, wake), 600);
        assert_eq!(activity.arrive(9_000_000, None), 0);
    }
}
