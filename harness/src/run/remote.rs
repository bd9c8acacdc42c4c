//! Arms in processes of their own: all are alive, and the worker passes the
//! turn over a pipe, so that only one works at a time.

use super::arms::{build_fault, build_instance, fault};
use super::launch::Launch;
use super::messages::{Answer, Job, JobKind, Message, Turn, send};
use super::process::{Arrival, WorkerProcess};
use super::worker::check_values;
use crate::observation::{ArmFault, Fault};
use crate::suite::{ArmError, Experiment, Output, Place, SlotValue, Subject, Warmth};
use std::io::{self, BufRead};
use std::path::Path;
use std::time::Duration;

/// How long one wait for an answer lasts; the coordinator has the patience.
const LOOK: Duration = Duration::from_secs(1);

/// An arm in another process.
pub(super) struct RemoteArm {
    /// `None` once it ended.
    process: Option<WorkerProcess>,
    facts: Vec<(String, String)>,
    /// Of the next slot.
    place: Place,
    /// Secondary metrics of the last slot.
    secondary: Vec<Option<f64>>,
    /// Samples of the last slot.
    samples: Vec<Vec<Option<f64>>>,
    /// After the last slot.
    warmth: Warmth,
}

impl RemoteArm {
    /// Starts this executable again for one instance of the job and waits until
    /// it is built. Its stack is shifted by `pad` as the worker's is.
    pub(super) fn start(job: &Job, instance: usize, pad: usize) -> Result<Self, ArmFault> {
        let name = job.experiment.instance_name(instance);
        let failed = |message: String| build_fault(&name, &ArmError::new(message).into());
        let executable = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
        let job = Job {
            kind: JobKind::Arm {
                instance,
                file: job.kind.file().map(Path::to_owned),
            },
            ..job.clone()
        };
        let process = WorkerProcess::start(&Launch::here(&executable), &job, pad)
            .map_err(|e| failed(e.to_string()))?;
        let mut arm = Self {
            process: Some(process),
            facts: Vec::new(),
            place: Place::UNMEASURED,
            secondary: Vec::new(),
            samples: Vec::new(),
            warmth: Warmth::Unknown,
        };
        match arm.answer() {
            Ok(Answer::Ready { facts }) => arm.facts = facts,
            Ok(_) => return Err(failed("it answered out of turn".to_owned())),
            Err(Refusal::Fault(fault)) => return Err(fault),
            Err(Refusal::Error(error)) => return Err(failed(error.message)),
        }
        Ok(arm)
    }

    fn ask(&mut self, turn: Turn) -> Result<Answer, ArmError> {
        if let Some(process) = &mut self.process {
            process.pass(&turn);
        }
        self.answer().map_err(|refusal| match refusal {
            Refusal::Error(error) => error,
            Refusal::Fault(fault) => match fault.fault {
                Fault::Failed => ArmError::new(fault.message),
                Fault::WrongOutput => ArmError::wrong_output(fault.message),
                kind => ArmError::new(format!("it {}: {}", kind.words(), fault.message)),
            },
        })
    }

    fn answer(&mut self) -> Result<Answer, Refusal> {
        let Some(process) = &self.process else {
            return Err(Refusal::Error(ArmError::new("its process has ended")));
        };
        loop {
            match process.next(LOOK) {
                Arrival::Message(Message::Answer(answer)) => return Ok(answer),
                Arrival::Message(Message::Fault(fault)) => return Err(Refusal::Fault(fault)),
                Arrival::Message(_) | Arrival::Quiet => {}
                Arrival::Closed => break,
            }
        }
        let exit = self.process.take().expect("it was here").wait();
        let words = super::planner::died(&exit.words, &exit.stderr);
        Err(Refusal::Error(ArmError::new(words)))
    }
}

enum Refusal {
    Fault(ArmFault),
    Error(ArmError),
}

impl Subject for RemoteArm {
    fn begin(&mut self, place: Place) {
        self.place = place;
    }

    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let place = self.place;
        match self.ask(Turn::Slot { place, iterations })? {
            Answer::Slot {
                value,
                host_ns,
                flags,
                secondary,
                samples,
                warmth,
            } => {
                self.secondary = secondary;
                self.samples = samples;
                self.warmth = warmth;
                Ok(SlotValue {
                    value,
                    host_ns,
                    flags,
                })
            }
            _ => Err(ArmError::new("its process answered out of turn")),
        }
    }

    fn secondary(&self) -> &[Option<f64>] {
        &self.secondary
    }

    fn samples(&self) -> &[Vec<Option<f64>>] {
        &self.samples
    }

    fn warmth(&self) -> Warmth {
        self.warmth
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        match self.ask(Turn::Output)? {
            Answer::Output(output) => Ok(output),
            _ => Err(ArmError::new("its process answered out of turn")),
        }
    }

    fn facts(&self) -> Vec<(String, String)> {
        self.facts.clone()
    }

    fn facts_at_end(&mut self) -> Result<Vec<(String, String)>, ArmError> {
        match self.ask(Turn::FactsAtEnd)? {
            Answer::FactsAtEnd(facts) => Ok(facts),
            _ => Err(ArmError::new("its process answered out of turn")),
        }
    }
}

impl Drop for RemoteArm {
    fn drop(&mut self) {
        // Without its standard input it ends by itself, its own children too.
        if let Some(process) = self.process.take() {
            process.wait();
        }
    }
}

/// An arm that hangs never looks at its turns again: when its worker is killed,
/// the system ends it. Elsewhere it is left over.
fn end_with_worker() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

/// The process of one arm: builds it, then answers turns until the worker is
/// gone.
pub(super) fn serve_arm(
    experiment: &Experiment,
    job: &Job,
    instance: usize,
    input_seed: u64,
    turns: &mut impl BufRead,
) -> Result<Message, ArmFault> {
    let name = &job.experiment.instance_name(instance);
    let system = |e: io::Error| fault(Some(name.clone()), Fault::System, &e.to_string());
    let gave_up = |e: ArmError| build_fault(name, &e.into());
    end_with_worker().map_err(system)?;
    let mut subject = build_instance(experiment, job, instance, input_seed)?;
    let mut facts = subject.facts();
    facts.push(("process".to_owned(), std::process::id().to_string()));
    let mut answer = Answer::Ready { facts };
    loop {
        send(&mut io::stdout(), &Message::Answer(answer)).map_err(system)?;
        let mut line = String::new();
        if turns.read_line(&mut line).map_err(system)? == 0 {
            return Ok(Message::Done);
        }
        let turn: Turn = serde_json::from_str(&line).map_err(|e| system(io::Error::other(e)))?;
        answer = match turn {
            Turn::Slot { place, iterations } => {
                let slot = super::arms::guard(name, || {
                    subject.begin(place);
                    subject.slot(iterations)
                })?;
                let slot = slot.map_err(gave_up)?;
                // JSON has no NaN: what can't be used is found before it travels.
                check_values(
                    &job.experiment,
                    name,
                    slot.value,
                    (subject.secondary(), subject.samples()),
                )?;
                Answer::Slot {
                    value: slot.value,
                    host_ns: slot.host_ns,
                    flags: slot.flags,
                    secondary: subject.secondary().to_vec(),
                    samples: subject.samples().to_vec(),
                    warmth: subject.warmth(),
                }
            }
            Turn::Output => {
                let output = super::arms::guard(name, || subject.output())?;
                Answer::Output(output.map_err(gave_up)?)
            }
            Turn::FactsAtEnd => {
                let facts = super::arms::guard(name, || subject.facts_at_end())?;
                Answer::FactsAtEnd(facts.map_err(gave_up)?)
            }
        };
    }
}
