//! How bench targets declare experiments of the request path.

use super::load::{Load, Mode};
use super::metrics::{Values, metrics};
use super::server::Servers;
use super::subject::Served;
use crate::serving::client::Connections;
use crate::serving::load::{Arrivals, PromptMix};
use crate::serving::target::Target;
use evenhand_harness::plan::{Margin, ReplicationUnit};
use evenhand_harness::suite::{ArmError, Bencher, Experiment, Suite, Verify};
use std::cell::Cell;
use std::rc::Rc;

/// Experiments of the request path in a suite.
pub trait RequestPaths {
    /// Begins an experiment: the load first, then the arms.
    fn request_path(&mut self, id: impl Into<String>) -> RequestPath<'_>;
}

impl RequestPaths for Suite {
    fn request_path(&mut self, id: impl Into<String>) -> RequestPath<'_> {
        RequestPath {
            suite: self,
            id: id.into(),
            load: Load::default(),
            servers: None,
        }
    }
}

/// What can be a server of an experiment.
pub trait IntoTarget {
    /// The target; a problem fails the arm in every worker, with its words.
    fn into_target(self, name: &str) -> Result<Target, String>;
}

impl IntoTarget for Target {
    fn into_target(self, _: &str) -> Result<Target, String> {
        Ok(self)
    }
}

impl<E: std::fmt::Display> IntoTarget for Result<Target, E> {
    fn into_target(self, _: &str) -> Result<Target, String> {
        self.map_err(|e| e.to_string())
    }
}

/// The embedded runtime.
#[cfg(feature = "runtime")]
impl IntoTarget for crate::runtime::Options {
    fn into_target(self, name: &str) -> Result<Target, String> {
        Target::embedded(name, &self)
    }
}

/// The load of an experiment. The first arm completes it.
#[must_use = "add arms: `.control(..)` and `.candidate(..)`, or `.arm(..)`"]
pub struct RequestPath<'s> {
    suite: &'s mut Suite,
    id: String,
    pub(super) load: Load,
    servers: Option<Rc<Servers>>,
}

impl<'s> RequestPath<'s> {
    /// State of the servers; [`Mode::Warm`] by default.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.load.mode = mode;
        self
    }

    /// The whole load at once.
    pub fn load(mut self, load: Load) -> Self {
        self.load = load;
        self
    }

    /// A mixture of prompts; 32 words each by default.
    pub fn prompts(mut self, prompts: PromptMix) -> Self {
        self.load.prompts = prompts;
        self
    }

    /// Prompts of `least` to `most` words.
    ///
    /// # Panics
    /// If that range is empty.
    pub fn words(self, least: u32, most: u32) -> Self {
        let mix = PromptMix::words(least, most);
        self.prompts(mix.unwrap_or_else(|e| panic!("words({least}, {most}): {e}")))
    }

    /// Most tokens of an answer; 32 by default.
    pub fn max_tokens(mut self, tokens: u32) -> Self {
        self.load.max_tokens = tokens;
        self
    }

    /// Closed loop: that many users, each asking again as soon as it has its
    /// answer. Above 1 a slot is a block of requests.
    pub fn users(mut self, users: u32) -> Self {
        self.load.concurrency = users;
        self
    }

    /// Requests of a block that count; 32 by default.
    pub fn requests(mut self, requests: u32) -> Self {
        self.load.requests = requests;
        self
    }

    /// Open loop: requests per second, spaced by a law.
    pub fn rate(mut self, rate: f64, arrivals: Arrivals) -> Self {
        self.load.open = Some((rate, arrivals));
        self
    }

    /// Idle connections are used again instead of opening one per request.
    pub fn reuse_connections(mut self) -> Self {
        self.load.connections = Connections::Reuse;
        self
    }

    /// The primary metric, by id; by default `ttft.content@sent`, in open loop
    /// `ttft.content@intended`, and `cold.total` for cold starts.
    pub fn metric(mut self, id: impl Into<String>) -> Self {
        self.load.metric = Some(id.into());
        self
    }

    /// A quantile of the primary metric, for example 0.95, that is claimed too:
    /// over all requests of a worker, failed ones behind all others. p95 needs
    /// 72 independent requests per worker and arm, p99 368.
    pub fn tail(mut self, quantile: f64) -> Self {
        self.load.tails.push(quantile);
        self
    }

    /// Arms with equal targets ask one server: cells that differ in their users
    /// alone, and the control against itself. Only for servers that keep no
    /// prompts: the arms ask the same, and what came from a cache is refused
    /// where the server tells it.
    pub fn share_servers(mut self) -> Self {
        self.servers = Some(Rc::default());
        self
    }

    /// The server that the others are compared with.
    pub fn control(self, name: impl Into<String>, target: impl IntoTarget) -> RequestArms<'s> {
        self.begin(name.into(), target, |experiment, name, build| {
            experiment.control(name, build);
        })
    }

    /// The only server: it is described, and compared with a second instance
    /// of itself; nothing is claimed.
    pub fn arm(self, name: impl Into<String>, target: impl IntoTarget) -> RequestArms<'s> {
        self.begin(name.into(), target, |experiment, name, build| {
            experiment.arm(name, build);
        })
    }

    fn begin(
        self,
        name: String,
        target: impl IntoTarget,
        add: impl FnOnce(&mut Experiment, String, Build),
    ) -> RequestArms<'s> {
        let values = metrics(&self.load);
        self.begin_with(values, name, target, add)
    }

    pub(super) fn begin_with(
        self,
        values: Result<Values, String>,
        name: String,
        target: impl IntoTarget,
        add: impl FnOnce(&mut Experiment, String, Build),
    ) -> RequestArms<'s> {
        let load = Rc::new(self.load);
        let experiment = self.suite.experiment(self.id);
        experiment.iterations(1);
        // An unusable metric is reported by every arm, with its words.
        if let Ok(values) = values {
            experiment.metric(values.primary);
            for secondary in values.secondary {
                experiment.secondary(secondary);
            }
        }
        if load.mode == Mode::Cold {
            experiment.cold().blocks(COLD_BLOCKS);
        } else if load.in_blocks() {
            experiment.blocks(LOADED_BLOCKS);
        }
        let mut arms = RequestArms {
            experiment,
            load,
            servers: self.servers,
            margin: Rc::new(Cell::new(Margin::DEFAULT)),
        };
        arms.add(name, target, add);
        arms
    }
}

/// Blocks of a worker where a slot is a fresh process.
const COLD_BLOCKS: u32 = 2;
/// Blocks of a worker where a slot is a block of requests.
const LOADED_BLOCKS: u32 = 4;

pub(super) type Build = Box<dyn Fn(&mut Bencher)>;

/// An experiment with its first server.
pub struct RequestArms<'s> {
    experiment: &'s mut Experiment,
    load: Rc<Load>,
    servers: Option<Rc<Servers>>,
    /// Declared after the arms that need it.
    margin: Rc<Cell<Margin>>,
}

impl RequestArms<'_> {
    /// Another load for the arms that follow.
    pub(super) fn load(mut self, load: Load) -> Self {
        self.load = Rc::new(load);
        self
    }

    /// A server that is compared with the control.
    pub fn candidate(mut self, name: impl Into<String>, target: impl IntoTarget) -> Self {
        self.add(name.into(), target, |experiment, name, build| {
            experiment.candidate(name, build);
        });
        self
    }

    /// The smallest effect that matters, on every metric.
    pub fn margin(self, margin: Margin) -> Self {
        self.margin.set(margin);
        self.experiment.margin_of_all(margin);
        self
    }

    /// How the answers of the arms to one prompt are judged, before and after
    /// the measurement.
    pub fn verify(self, verify: Verify) -> Self {
        self.experiment.verify(verify);
        self
    }

    /// What the servers run on.
    pub fn device_label(self, label: impl Into<String>) -> Self {
        self.experiment.device_label(label);
        self
    }

    /// No second server of the control, where three do not fit: the claim is
    /// capped with `no_aa_control`.
    pub fn no_aa(self) -> Self {
        self.experiment.no_aa();
        self
    }

    /// Comparison blocks of a worker.
    pub fn blocks(self, blocks: u32) -> Self {
        self.experiment.blocks(blocks);
        self
    }

    fn add(
        &mut self,
        name: String,
        target: impl IntoTarget,
        add: impl FnOnce(&mut Experiment, String, Build),
    ) {
        let target = target.into_target(&name);
        if target.as_ref().is_ok_and(|t| !t.restarts()) {
            self.experiment.unit(ReplicationUnit::Request);
        }
        let (load, margin) = (Rc::clone(&self.load), Rc::clone(&self.margin));
        let servers = self.servers.clone();
        let build = move |bencher: &mut Bencher| {
            let served = target.clone().map_err(ArmError::new).and_then(|target| {
                Served::build(bencher, &load, margin.get(), target, servers.clone())
            });
            match served {
                Ok(served) => bencher.register(served),
                Err(error) => bencher.fail(error),
            }
        };
        add(self.experiment, name, Box::new(build));
    }
}
