use super::{int, pick, sources};
use crate::cpu::top_k::{
    TokenLogit, sample, temperature_softmax, temperature_softmax_tolerance, top_k_full_sort,
    top_k_select,
};
use crate::cpu::uncertainty::{uncertainty_online, uncertainty_tolerance, uncertainty_two_pass};
use crate::reference::Uncertainty;
use crate::task::{Arg, Buffer, Launch, Task, Variant};
use crate::{Tolerance, inputs, reference};
use std::sync::{Mutex, PoisonError};

/// Threads per block; `THREADS` of `sampling.cu`.
const THREADS: u32 = 256;
/// Keys that a block sorts; `TILE` of `sampling.cu`.
const TILE: usize = 1024;
/// Largest `k`; `MOST` of `sampling.cu`.
const MOST: usize = TILE / 2;
/// Tokens are written as `f32`, which holds integers up to here.
const LARGEST_VOCABULARY: usize = 1 << 24;

const LOGITS: usize = 0;
const OUT: usize = 1;
const STATISTICS: usize = 2;
const MOMENTS: usize = 3;
/// Logits and tokens of candidates: one pair is read while the other is
/// written.
const CANDIDATES: [[usize; 2]; 2] = [[4, 5], [6, 7]];

/// What to sample, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Number of logits, at most 2^24.
    pub vocabulary: usize,
    /// Tokens to choose from, at most 512.
    pub k: usize,
    /// Temperature of the softmax over them.
    pub temperature: f32,
}

/// Top-k sampling without statistics. The output is the drawn token, the `k`
/// tokens and their probabilities.
///
/// | variant | selection on the GPU | on the host processor |
/// |---|---|---|
/// | `repeated_argmax` | `k` sweeps of one block | sort of all logits |
/// | `tiles` | every block sorts 1024 logits, the best of them are merged | quickselect |
///
/// # Panics
/// Unless `1 <= k <= vocabulary`, `k` is at most 512, the vocabulary at most
/// 2^24 and the temperature positive; and if the vocabulary is so large that
/// the tolerance of the probabilities would accept a wrong token.
#[must_use]
pub fn sampling(sampling: Sampling, seed: u64) -> Task {
    let case = Case::draw(sampling, seed);
    let variants = vec![
        Variant::launches(
            "repeated_argmax",
            [case.launch_repeated_argmax()],
            case.cpu(top_k_full_sort, None),
        ),
        Variant::launches(
            "tiles",
            case.launch_tiles(false),
            case.cpu(top_k_select, None),
        ),
    ];
    case.selection_task("sampling", variants)
}

/// The uncertainty of a sampled token: two ways to compute its
/// log-probability and the entropy beside the selection by tiles. The output
/// is those two numbers.
///
/// | variant | statistics on the GPU | on the host processor |
/// |---|---|---|
/// | `separate_sweep` | one block sweeps the logits again | two sweeps |
/// | `fused` | in the sweep of the selection | one sweep |
///
/// # Panics
/// As [`sampling`].
#[must_use]
pub fn sampling_uncertainty(sampling: Sampling, seed: u64) -> Task {
    let case = Case::draw(sampling, seed);
    let mut separate = case.launch_tiles(false);
    separate.push(case.launch_uncertainty());
    let variants = vec![
        Variant::launches(
            "separate_sweep",
            separate,
            case.cpu(top_k_select, Some(uncertainty_two_pass)),
        ),
        Variant::launches(
            "fused",
            case.launch_tiles(true),
            case.cpu(top_k_select, Some(uncertainty_online)),
        ),
    ];
    case.statistics_task("sampling_uncertainty", variants)
}

/// What the uncertainty costs: the same sampling `off` without and `on` with
/// it. The output is that of [`sampling`]; [`sampling_uncertainty`] verifies
/// the statistics.
///
/// # Panics
/// As [`sampling`].
#[must_use]
pub fn uncertainty_toggle(sampling: Sampling, seed: u64) -> Task {
    let case = Case::draw(sampling, seed);
    let variants = vec![
        Variant::launches(
            "off",
            case.launch_tiles(false),
            case.cpu(top_k_select, None),
        ),
        Variant::launches(
            "on",
            case.launch_tiles(true),
            case.cpu(top_k_select, Some(uncertainty_online)),
        ),
    ];
    case.selection_task("uncertainty_toggle", variants)
}

type Select = fn(&[f32], usize, &mut Vec<TokenLogit>);
type Measure = fn(&[f32], usize) -> Uncertainty;

/// A drawn input and what follows from it.
struct Case {
    sampling: Sampling,
    logits: Vec<f32>,
    uniform: f32,
    top: Vec<TokenLogit>,
    probabilities: Vec<f64>,
    tolerance: Tolerance,
    drawn: usize,
}

impl Case {
    fn draw(sampling: Sampling, seed: u64) -> Self {
        let Sampling {
            vocabulary,
            k,
            temperature,
        } = sampling;
        assert!(
            vocabulary <= LARGEST_VOCABULARY && (1..=vocabulary.min(MOST)).contains(&k),
            "cannot select {k} of {vocabulary}: at most {MOST} of {LARGEST_VOCABULARY}"
        );
        assert!(
            temperature > 0.0,
            "a temperature is positive, not {temperature}"
        );
        let logits = inputs::normal(seed, "inputs/sampling/logits", 3.0, vocabulary);
        let top = reference::top_k(&logits, k);
        let probabilities = reference::temperature_softmax(&top, temperature);
        let tolerance = temperature_softmax_tolerance(&top, temperature);
        assert!(
            tolerance.relative * (vocabulary as f64) < 1.0,
            "a tolerance of {:e} cannot tell {vocabulary} tokens apart",
            tolerance.relative
        );
        let (uniform, drawn) = decisive_uniform(&probabilities, tolerance, seed);
        Self {
            sampling,
            logits,
            uniform,
            top,
            probabilities,
            tolerance,
            drawn,
        }
    }

    /// The kernels of the selection by tiles and of the draw; with the
    /// statistics in the same sweep if `uncertainty`.
    fn launch_tiles(&self, uncertainty: bool) -> Vec<Launch> {
        let Sampling {
            vocabulary,
            k,
            temperature,
        } = self.sampling;
        let tiles = vocabulary.div_ceil(TILE);
        let [mut from, mut to] = CANDIDATES;
        let mut select_buffers = vec![LOGITS, from[0], from[1]];
        let mut select = "sampling_select_tile";
        if uncertainty {
            select_buffers.push(MOMENTS);
            select = "sampling_select_tile_uncertainty";
        }
        let mut launches = vec![launch(
            select,
            tiles,
            &select_buffers,
            &[int(vocabulary), int(k)],
        )];
        let mut count = tiles * k;
        while count > TILE {
            let blocks = count.div_ceil(TILE);
            launches.push(launch(
                "sampling_merge",
                blocks,
                &[from[0], from[1], to[0], to[1]],
                &[int(count), int(k)],
            ));
            count = blocks * k;
            (from, to) = (to, from);
        }
        let scalars = [Arg::F32(temperature), Arg::F32(self.uniform)];
        launches.push(if uncertainty {
            launch(
                "sampling_draw_uncertainty",
                1,
                &[from[0], from[1], MOMENTS, OUT, STATISTICS],
                &[int(count), int(tiles), int(k), scalars[0], scalars[1]],
            )
        } else {
            launch(
                "sampling_draw",
                1,
                &[from[0], from[1], OUT],
                &[int(count), int(k), scalars[0], scalars[1]],
            )
        });
        launches
    }

    fn launch_repeated_argmax(&self) -> Launch {
        let Sampling {
            vocabulary,
            k,
            temperature,
        } = self.sampling;
        launch(
            "sampling_repeated_argmax",
            1,
            &[LOGITS, OUT],
            &[
                int(vocabulary),
                int(k),
                Arg::F32(temperature),
                Arg::F32(self.uniform),
            ],
        )
    }

    /// Reads the drawn token from the output of the launch before it.
    fn launch_uncertainty(&self) -> Launch {
        launch(
            "sampling_uncertainty",
            1,
            &[LOGITS, OUT, STATISTICS],
            &[int(self.sampling.vocabulary)],
        )
    }

    /// The whole question on the host processor.
    fn cpu(
        &self,
        select: Select,
        measure: Option<Measure>,
    ) -> impl Fn(&mut [Buffer]) + Send + Sync + 'static {
        let Sampling { k, temperature, .. } = self.sampling;
        let uniform = self.uniform;
        // Memory for the selection, allocated once.
        let top = Mutex::new(Vec::with_capacity(self.sampling.vocabulary));
        move |buffers| {
            let [logits, out, statistics] = pick(buffers, [LOGITS, OUT, STATISTICS]);
            let (logits, out) = (logits.f32(), out.f32_mut());
            let mut top = top.lock().unwrap_or_else(PoisonError::into_inner);
            select(logits, k, &mut top);
            let (token, rest) = out.split_first_mut().expect("a token and k choices");
            let (tokens, probabilities) = rest.split_at_mut(k);
            for (out, top) in tokens.iter_mut().zip(top.iter()) {
                *out = top.token as f32;
            }
            temperature_softmax(&top, temperature, probabilities);
            let drawn = top[sample(probabilities, uniform)].token;
            *token = drawn as f32;
            if let Some(measure) = measure {
                let measured = measure(logits, drawn as usize);
                statistics
                    .f32_mut()
                    .copy_from_slice(&[measured.log_probability as f32, measured.entropy as f32]);
            }
        }
    }

    /// The task whose output is the selection.
    fn selection_task(self, family: &'static str, variants: Vec<Variant>) -> Task {
        let drawn = self.top[self.drawn].token;
        let tokens = std::iter::once(drawn).chain(self.top.iter().map(|top| top.token));
        let reference = tokens.map(f64::from).chain(self.probabilities.clone());
        Task {
            family,
            output: OUT,
            reference: reference.collect(),
            tolerance: self.tolerance,
            ..self.task(variants)
        }
    }

    /// The task whose output is the statistics.
    fn statistics_task(self, family: &'static str, variants: Vec<Variant>) -> Task {
        let drawn = self.top[self.drawn].token as usize;
        let want = reference::uncertainty(&self.logits, drawn);
        let tolerance = uncertainty_tolerance(&self.logits);
        // Subtract, exponential, multiply and two additions per logit more.
        let flops = 5 * self.sampling.vocabulary as u64;
        let task = self.task(variants);
        Task {
            family,
            output: STATISTICS,
            reference: vec![want.log_probability, want.entropy],
            tolerance,
            bytes_moved: task.bytes_moved + 8,
            flops: task.flops + flops,
            ..task
        }
    }

    /// What both have in common; the work is that without statistics.
    fn task(&self, variants: Vec<Variant>) -> Task {
        let Sampling {
            vocabulary,
            k,
            temperature,
        } = self.sampling;
        let tiles = vocabulary.div_ceil(TILE);
        let mut buffers = vec![
            Buffer::input("logits", self.logits.clone()),
            Buffer::output("out", vec![0f32; 1 + 2 * k]),
            Buffer::output("statistics", vec![0f32; 2]),
            Buffer::scratch("moments", vec![0f32; 3 * tiles]),
        ];
        for [logits, tokens] in [
            ["candidate_logits", "candidate_tokens"],
            ["merged_logits", "merged_tokens"],
        ] {
            buffers.push(Buffer::scratch(logits, vec![0f32; tiles * k]));
            buffers.push(Buffer::scratch(tokens, vec![0u32; tiles * k]));
        }
        Task {
            family: "",
            shape: format!("vocabulary={vocabulary} k={k} temperature={temperature}"),
            buffers,
            output: OUT,
            reference: Vec::new(),
            tolerance: Tolerance::EXACT,
            bytes_moved: (4 * vocabulary + 4 * (1 + 2 * k)) as u64,
            flops: (vocabulary + 6 * k) as u64,
            variants,
        }
    }
}

fn launch(entry: &'static str, blocks: usize, buffers: &[usize], rest: &[Arg]) -> Launch {
    let mut args: Vec<Arg> = buffers.iter().map(|&buffer| Arg::Buffer(buffer)).collect();
    args.extend(rest);
    Launch::new(&sources::SAMPLING, entry, blocks, THREADS, args)
}

/// A uniform number, and the choice that it draws, so far from the next choice
/// that rounding within the tolerance cannot draw another.
fn decisive_uniform(probabilities: &[f64], tolerance: Tolerance, seed: u64) -> (f32, usize) {
    let cumulated: Vec<f64> = probabilities
        .iter()
        .scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        })
        .collect();
    // A sum of k probabilities is off by at most the tolerance of each.
    let margin = tolerance.relative + probabilities.len() as f64 * tolerance.absolute;
    (0u64..)
        .map(|attempt| inputs::uniform(seed, &format!("inputs/sampling/uniform/{attempt}")))
        .find_map(|uniform| {
            let uniform_64 = f64::from(uniform);
            let drawn = cumulated.iter().position(|&sum| uniform_64 < sum)?;
            let clear = |sum: f64| (sum - uniform_64).abs() > 2.0 * margin;
            cumulated[..probabilities.len() - 1]
                .iter()
                .all(|&sum| clear(sum))
                .then_some((uniform, drawn))
        })
        .expect("some number lies between two boundaries")
}
