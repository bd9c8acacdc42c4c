//! A started server: of one arm, or of several that share it.

use crate::serving::target::{Running, StartError, Target};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};

/// A server that serves. The last arm that lets it go ends it.
pub(super) struct Server(Rc<RefCell<Running>>);

impl Server {
    pub(super) fn alone(running: Running) -> Self {
        Self(Rc::new(RefCell::new(running)))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.0.borrow().address()
    }

    pub(super) fn startup_ns(&self) -> Option<u64> {
        self.0.borrow().startup_ns()
    }

    pub(super) fn spawned_ns(&self) -> u64 {
        self.0.borrow().spawned_ns()
    }

    pub(super) fn ready_ns(&self) -> u64 {
        self.0.borrow().ready_ns()
    }

    /// Its last words, when it has ended.
    pub(super) fn ended(&self) -> Option<String> {
        self.0.borrow_mut().ended()
    }

    /// Ends it, unless another arm still asks it; whether nothing of it is left.
    pub(super) fn stop(self) -> bool {
        match Rc::try_unwrap(self.0) {
            Ok(running) => running.into_inner().stop(),
            Err(_) => true,
        }
    }
}

/// The servers of a worker, one for each target, whatever the arms that ask it.
#[derive(Default)]
pub(super) struct Servers(RefCell<Vec<(Target, Weak<RefCell<Running>>)>>);

impl Servers {
    /// The server of a target; `start` makes it when there is none.
    pub(super) fn of(
        &self,
        target: &Target,
        start: impl FnOnce() -> Result<Running, StartError>,
    ) -> Result<Server, StartError> {
        let mut all = self.0.borrow_mut();
        all.retain(|(_, server)| server.strong_count() > 0);
        let same = all.iter().find(|(other, _)| other == target);
        if let Some(server) = same.and_then(|(_, server)| server.upgrade()) {
            return Ok(Server(server));
        }
        let server = Server::alone(start()?);
        all.push((target.clone(), Rc::downgrade(&server.0)));
        Ok(server)
    }
}
