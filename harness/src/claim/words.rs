//! The sentence of a claim. Words come from the class, never by hand.

use super::number::{margin_percent, p_value, plain_percent, quantity, signed_percent};
use super::rates::rate_words;
use super::{Bounds, Class, Evidence, Outcome, Shade, Verdict};
use crate::gate::{Reason, Severity};
use crate::plan::{Estimand, Margin, MarginScale, Metric, ReplicationUnit};

/// What a sentence speaks of.
pub(super) struct Subject<'a> {
    pub control: &'a str,
    pub candidate: &'a str,
    pub metric: &'a Metric,
    /// What the arms run on, when that must be said.
    pub device: Option<&'a str>,
    pub estimand: Estimand,
    pub margin: Margin,
    pub unit: ReplicationUnit,
    /// Whether units are outcomes of tasks.
    pub outcomes: bool,
    /// Units that would resolve an effect of the margin.
    pub needed: Option<u64>,
}

/// The claim in one sentence or two.
pub(super) fn sentence(subject: &Subject<'_>, e: &Evidence, verdict: &Verdict) -> String {
    match verdict.class {
        Class::Invalid => format!("No claim, because {}.", because(verdict, Severity::Invalid)),
        Class::Insufficient => {
            let range = match e.n {
                0 => String::new(),
                1 => format!(" The one unit reads {}.", subject.effect(e.effect, None)),
                _ => format!(
                    " The {} units read {} to {}: {} lower, {} higher, {} equal.",
                    e.n,
                    subject.effect(e.range.0, None),
                    subject.effect(e.range.1, None),
                    e.lower,
                    e.higher,
                    e.ties
                ),
            };
            format!(
                "No claim, because {}.{range}",
                because(verdict, Severity::Insufficient)
            )
        }
        Class::Strong => format!(
            "{}: {}, beyond the margin of {} ({}).",
            capital(subject.outcome_word(verdict)),
            subject.difference(e),
            subject.margin(),
            subject.support(e)
        ),
        Class::Moderate => format!(
            "{} (moderate): {} ({}). Not strong, because {}.",
            capital(subject.outcome_word(verdict)),
            subject.difference(e),
            subject.support(e),
            because(verdict, Severity::Explains)
        ),
        Class::ParityEstablished => {
            let shade = if verdict.shade == Some(Shade::DetectableButImmaterial) {
                " A difference is detectable, but too small to matter."
            } else {
                ""
            };
            format!(
                "Parity: {} of `{}` and `{}` differs by less than the margin of {} ({}).{shade}",
                subject.metric(),
                subject.candidate,
                subject.control,
                subject.margin(),
                subject.support(e)
            )
        }
        Class::Directional => format!(
            "Not a claim, only a hint of {}: {} ({}). No claim, because {}.",
            with_article(subject.outcome_word(verdict)),
            subject.difference(e),
            subject.support(e),
            because(verdict, Severity::Explains)
        ),
        Class::NoiseDominated => {
            let what = match verdict.shade {
                Some(Shade::InconclusiveWide) => "the noise is wider than the margin on both sides",
                Some(Shade::NearParityNoiseDominated) => {
                    "the mean is near zero but the noise hides whether that is parity"
                }
                _ => "the noise hides whether there is a difference",
            };
            let needed = match subject.needed {
                Some(n @ ..=10_000) => format!(
                    " About {n} {} would resolve a difference of {}.",
                    subject.units(n as usize),
                    subject.margin()
                ),
                Some(_) => format!(
                    " More than 10,000 {} would be needed to resolve a difference of {}: make the \
                     measurement quieter instead.",
                    subject.units(10_000),
                    subject.margin()
                ),
                None => String::new(),
            };
            format!("No claim, because {what} ({}).{needed}", subject.support(e))
        }
    }
}

impl Subject<'_> {
    fn outcome_word(&self, verdict: &Verdict) -> &'static str {
        match verdict.outcome {
            Some(Outcome::Improvement) => "improvement",
            Some(Outcome::Regression) => "regression",
            None => "difference",
        }
    }

    /// "wall_time of `b` is 12.3 % lower than of `a`".
    fn difference(&self, e: &Evidence) -> String {
        let side = if e.effect < 0.0 { "lower" } else { "higher" };
        let size = match self.estimand {
            Estimand::PairedLogRatio => plain_percent(libm::expm1(e.effect), self.half_width(e)),
            Estimand::PairedDifference => self
                .effect(e.effect.abs(), self.half_width(e))
                .trim_start_matches('+')
                .to_owned(),
        };
        format!(
            "{} of `{}` is {size} {side} than of `{}`",
            self.metric(),
            self.candidate,
            self.control
        )
    }

    /// "wall_time", "wall_time on cpu".
    fn metric(&self) -> String {
        match self.device {
            Some(device) => format!("{} on {device}", self.metric.id),
            None => self.metric.id.clone(),
        }
    }

    /// Half width of the CI95 as a fraction or in the metric's unit.
    fn half_width(&self, e: &Evidence) -> Option<f64> {
        let Bounds {
            lo: Some(lo),
            hi: Some(hi),
        } = e.ci95?
        else {
            return None;
        };
        Some(match self.estimand {
            Estimand::PairedLogRatio => 0.5 * (libm::expm1(hi) - libm::expm1(lo)),
            Estimand::PairedDifference => 0.5 * (hi - lo),
        })
    }

    fn effect(&self, effect: f64, half_width: Option<f64>) -> String {
        match self.estimand {
            Estimand::PairedLogRatio => signed_percent(libm::expm1(effect), half_width),
            // Differences of rates are percentage points.
            Estimand::PairedDifference if self.outcomes => {
                let points = signed_percent(effect, half_width.or(Some(0.1)));
                points.replace('%', "points")
            }
            Estimand::PairedDifference => quantity(effect, half_width, &self.metric.unit),
        }
    }

    /// "CI95 −13.1 % to −11.5 %, 12 workers, p = 0.0005".
    fn support(&self, e: &Evidence) -> String {
        let half_width = self.half_width(e);
        let end = |x: Option<f64>| x.map_or("open".to_owned(), |x| self.effect(x, half_width));
        let interval = match e.ci95 {
            Some(ci) => format!("CI{} {} to {}, ", level(e), end(ci.lo), end(ci.hi)),
            None => String::new(),
        };
        let p =
            e.p.map_or(String::new(), |p| format!(", p = {}", p_value(p)));
        let passed = e.outcomes.map_or(String::new(), |o| {
            let n = o.n();
            format!(
                "`{}` passed {} and `{}` {}, ",
                self.candidate,
                rate_words(o.both + o.first_only, n),
                self.control,
                rate_words(o.both + o.second_only, n)
            )
        });
        format!("{passed}{interval}{} {}{p}", e.n, self.units(e.n))
    }

    fn units(&self, n: usize) -> &'static str {
        match (self.unit, n) {
            _ if self.outcomes && n == 1 => "task",
            _ if self.outcomes => "tasks",
            (ReplicationUnit::Worker, 1) => "worker",
            (ReplicationUnit::Worker, _) => "workers",
            (_, 1) => "pair",
            _ => "pairs",
        }
    }

    fn margin(&self) -> String {
        match self.margin.scale {
            MarginScale::Relative => margin_percent(self.margin.value),
            MarginScale::Absolute => format!("{} {}", self.margin.value, self.metric.unit),
        }
    }
}

/// Level of the reported interval in percent: 95, or what a look leaves.
fn level(e: &Evidence) -> f64 {
    let level = 100.0 * (1.0 - e.levels.moderate);
    libm::round(1e4 * level) / 1e4
}

/// The reasons of at least a severity, as one clause.
fn because(verdict: &Verdict, least: Severity) -> String {
    let clauses: Vec<String> = verdict
        .reasons
        .iter()
        .filter(|r| r.severity >= least)
        .map(clause)
        .collect();
    match clauses.as_slice() {
        [] => "no rule for a higher class matched".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}

fn clause(reason: &Reason) -> String {
    format!("{} ({})", reason.code.meaning(), reason.detail)
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

fn with_article(word: &str) -> String {
    format!("{} {word}", if word.starts_with('i') { "an" } else { "a" })
}
