//! A runtime inside this process.

use super::engine::{Counters, CpuBackend, Engine};
use super::model::{Model, ModelError};
use super::options::{Options, OptionsError, Source};
use super::server::{Server, Service};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// A model that is being served. Dropping it stops the server at once.
///
/// ```
/// use evenhand::runtime::{Options, Runtime};
///
/// let runtime = Runtime::spawn(Options::default())?;
/// let url = format!("http://{}/v1/chat/completions", runtime.address());
/// # assert!(url.starts_with("http://127.0.0.1:"));
/// runtime.stop();
/// # Ok::<(), evenhand::runtime::RuntimeError>(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    server: Server,
    engine: Arc<Engine>,
}

impl Runtime {
    /// Listens, loads the model (`/health` answers 503 meanwhile) and returns
    /// when requests are served.
    ///
    /// # Errors
    /// If an option makes no sense, the address can't be listened on, or the
    /// model can't be loaded.
    pub fn spawn(options: Options) -> Result<Self, RuntimeError> {
        options.check().map_err(RuntimeError::Options)?;
        let counters = Arc::new(Counters::default());
        let service = Arc::new(Service::new(&options, Arc::clone(&counters)));
        let server = Server::start(options.address, options.limits.clone(), service.clone())
            .map_err(|source| RuntimeError::Listen {
                address: options.address,
                source,
            })?;
        let model = match &options.source {
            Source::Preset { preset, seed } => Model::preset(*preset, *seed, &options.load),
            Source::Folder(dir) => Model::load(dir, &options.load),
        };
        let model = Arc::new(model.map_err(RuntimeError::Model)?);
        let backend = Box::new(CpuBackend::new(Arc::clone(&model)));
        let engine = Engine::start(model, backend, options.engine, counters)
            .map_err(RuntimeError::Thread)?;
        let engine = Arc::new(engine);
        service.ready(Arc::clone(&engine));
        Ok(Self { server, engine })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        self.engine.model()
    }

    /// Refuses new requests, lets running ones finish for as long as
    /// [`drain_ms`](super::server::Limits::drain_ms) says, and ends.
    pub fn stop(self) {
        self.engine.refuse();
        self.server.stop();
    }
}

/// Why there is no runtime.
#[derive(Debug)]
#[non_exhaustive]
pub enum RuntimeError {
    /// An option makes no sense.
    Options(OptionsError),
    /// The address can't be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The model can't be loaded.
    Model(ModelError),
    /// The system gives no thread.
    Thread(io::Error),
    /// The server's process can't be started or talked to.
    Process(String),
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options(e) => e.fmt(f),
            Self::Listen { address, source } => {
                write!(
                    f,
                    "can't listen on {address}: {source}; port 0 takes a free one"
                )
            }
            Self::Model(e) => e.fmt(f),
            Self::Thread(e) => write!(f, "no thread for the decoder: {e}"),
            Self::Process(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for RuntimeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Options(e) => Some(e),
            Self::Listen { source, .. } => Some(source),
            Self::Model(e) => Some(e),
            Self::Thread(e) => Some(e),
            Self::Process(_) => None,
        }
    }
}
