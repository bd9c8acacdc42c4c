//! How long a block runs before its requests count: as long as it takes until
//! those that count show no trend.

use super::load::Load;
use super::values::change;
use evenhand_harness::suite::Warmth;

/// A block without a trend is taken for one with a trend this rarely, if
/// neighbours were independent. They need not be, so some ramps get longer than
/// they had to be: that costs time, a ramp that is too short costs the claim.
const TREND_AT: f64 = 0.05;
/// After so many blocks without an agreement the ramp is lengthened.
const MOST_BLOCKS: usize = 4;

/// What the blocks of an arm under one ramp say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Another block under the same ramp.
    Again,
    /// The ramp is too short.
    Longer,
    /// It is long enough.
    Keep,
}

/// Judges the latencies of the blocks so far, oldest first. A change of
/// `matters` is a fraction of the mean.
///
/// A ramp is long enough when the last two blocks have no trend, neither alone
/// nor one after the other: then the server is not warming up from block to
/// block either. One block with a trend may still be that; two in a row are not.
fn next(blocks: &[Vec<f64>], matters: f64) -> Next {
    let trending = |values: &[f64]| {
        change(values).is_some_and(|(size, p)| p <= TREND_AT && size.abs() > matters)
    };
    let [.., before, last] = blocks else {
        return Next::Again;
    };
    match (trending(before), trending(last)) {
        (true, true) => Next::Longer,
        (false, false) if !trending(&[&before[..], last].concat()) => Next::Keep,
        _ if blocks.len() >= MOST_BLOCKS => Next::Longer,
        _ => Next::Again,
    }
}

/// The warm-up of one arm.
#[derive(Debug)]
pub(super) struct WarmUp {
    /// Latencies of the blocks under the present ramp.
    blocks: Vec<Vec<f64>>,
    warmth: Warmth,
}

impl WarmUp {
    /// Only blocks have a ramp: the harness warms up what is asked one by one.
    pub(super) fn new(load: &Load) -> Self {
        Self {
            blocks: Vec::new(),
            warmth: if load.in_blocks() {
                Warmth::Warming
            } else {
                Warmth::Unknown
            },
        }
    }

    pub(super) fn warmth(&self) -> Warmth {
        self.warmth
    }

    /// Takes in the latencies of a block that nobody counts. `load` gets a
    /// longer ramp when that one is too short. Once it is settled it stays.
    pub(super) fn saw(&mut self, load: &mut Load, latencies: Vec<f64>, matters: f64) {
        if self.warmth != Warmth::Warming {
            return;
        }
        self.blocks.push(latencies);
        match next(&self.blocks, matters) {
            Next::Again => {}
            Next::Keep => self.warmth = Warmth::Steady,
            Next::Longer if load.lengthen_ramp() => self.blocks.clear(),
            Next::Longer => self.warmth = Warmth::Unsteady,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bootstrap::Stream;

    /// Forty latencies around `level` that lose `fall` of it from the first to
    /// the last, with noise of a twentieth.
    fn block(stream: &mut Stream, level: f64, fall: f64) -> Vec<f64> {
        let noise = |stream: &mut Stream| 0.1 * (stream.unit() + stream.unit() - 1.0);
        (0..40)
            .map(|i| level * (1.0 - fall * f64::from(i) / 39.0 + noise(stream)))
            .collect()
    }

    #[test]
    fn two_level_blocks_are_enough() {
        let mut stream = Stream::new(1, "level");
        let kept = (0..500).filter(|_| {
            let blocks = [(); 2].map(|()| block(&mut stream, 20.0, 0.0));
            next(&blocks[..1], 0.05) == Next::Again && next(&blocks, 0.05) == Next::Keep
        });
        // Three tests at five percent each, of which few exceed the margin.
        assert!(kept.count() >= 425);
    }

    #[test]
    fn a_trend_in_every_block_asks_for_a_longer_ramp() {
        let mut stream = Stream::new(2, "trend");
        let blocks = [(); 2].map(|()| block(&mut stream, 20.0, 0.3));
        assert_eq!(next(&blocks, 0.05), Next::Longer);
        // A trend that does not matter is none.
        assert_eq!(next(&blocks, 0.5), Next::Keep);
        // One that can't be told from noise is none either.
        let few = [vec![3.0, 2.0, 2.5], vec![2.0, 2.6, 2.4]];
        assert_eq!(next(&few, 0.05), Next::Keep);
    }

    #[test]
    fn a_server_that_warms_up_once_needs_blocks_and_no_ramp() {
        let mut stream = Stream::new(3, "start");
        let falling = block(&mut stream, 30.0, 0.3);
        let high = block(&mut stream, 30.0, 0.0);
        let mut level = || block(&mut stream, 20.0, 0.0);
        let mut blocks = vec![falling, level()];
        assert_eq!(next(&blocks, 0.05), Next::Again);
        blocks.push(level());
        assert_eq!(next(&blocks, 0.05), Next::Keep);
        // Two flat blocks on different levels: it gets faster from one to the next.
        let mut blocks = vec![high, level()];
        assert_eq!(next(&blocks, 0.05), Next::Again);
        blocks.push(level());
        assert_eq!(next(&blocks, 0.05), Next::Keep);
    }

    #[test]
    fn the_ramp_doubles_until_it_is_long_enough_and_stays() {
        let mut load = Load {
            concurrency: 4,
            requests: 40,
            ..Load::default()
        };
        let mut stream = Stream::new(4, "ramps");
        let mut warm_up = WarmUp::new(&load);
        // The server needs thirty requests after every pause.
        let mut run = |warm_up: &mut WarmUp, load: &mut Load, enough: u32| {
            let fall = if load.ramp() >= enough { 0.0 } else { 0.5 };
            warm_up.saw(load, block(&mut stream, 20.0, fall), 0.05);
        };
        let mut ramps = Vec::new();
        while warm_up.warmth() == Warmth::Warming {
            ramps.push(load.ramp());
            run(&mut warm_up, &mut load, 30);
        }
        assert_eq!(ramps, [4, 4, 8, 8, 16, 16, 32, 32]);
        assert_eq!((warm_up.warmth(), load.ramp()), (Warmth::Steady, 32));
        run(&mut warm_up, &mut load, 1000);
        assert_eq!((warm_up.warmth(), load.ramp()), (Warmth::Steady, 32));

        // A bound that is reached is told.
        load.rounds = 1;
        let mut warm_up = WarmUp::new(&load);
        for _ in 0..40 {
            run(&mut warm_up, &mut load, 1000);
        }
        assert_eq!((warm_up.warmth(), load.ramp()), (Warmth::Unsteady, 64));
        assert_eq!(WarmUp::new(&Load::default()).warmth(), Warmth::Unknown);
    }
}
