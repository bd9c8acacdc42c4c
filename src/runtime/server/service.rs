//! Paths and what answers them.

use super::body::{Answered, Events};
use super::limits::Limits;
use super::metrics;
use crate::runtime::api::{self, ApiError, Asked, Endpoint, Reply};
use crate::runtime::engine::{Counters, Engine, Event};
use crate::runtime::options::Options;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

/// What the server answers with: the engine, once it is there.
#[derive(Debug)]
pub struct Service {
    engine: OnceLock<Arc<Engine>>,
    counters: Arc<Counters>,
    limits: Limits,
    model: String,
    fingerprint: String,
    started: u64,
    numbers: AtomicU64,
    invalid: AtomicU64,
}

type Answer = Response<Answered>;

impl Service {
    /// A service that says that it is loading.
    #[must_use]
    pub fn new(options: &Options, counters: Arc<Counters>) -> Self {
        Self {
            engine: OnceLock::new(),
            counters,
            limits: options.limits.clone(),
            model: options.model_name(),
            fingerprint: fingerprint(options),
            started: unix_seconds(),
            numbers: AtomicU64::new(0),
            invalid: AtomicU64::new(0),
        }
    }

    /// From now on requests are answered.
    pub fn ready(&self, engine: Arc<Engine>) {
        // A service is made ready once.
        let _ = self.engine.set(engine);
    }

    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Answer, Infallible> {
        let head_only = request.method() == Method::HEAD;
        let mut answer = match self.route(request).await {
            Ok(answer) => answer,
            Err(error) => {
                if error.status < 500 {
                    self.invalid.fetch_add(1, Ordering::Relaxed);
                }
                refusal(&error)
            }
        };
        if head_only {
            *answer.body_mut() = Answered::Whole(None);
        }
        Ok(answer)
    }

    async fn route(&self, request: Request<Incoming>) -> Result<Answer, ApiError> {
        let path = request.uri().path().to_owned();
        let endpoint = match path.as_str() {
            "/v1/chat/completions" => Some(Endpoint::Chat),
            "/v1/completions" => Some(Endpoint::Text),
            "/health" | "/metrics" | "/v1/models" => None,
            _ => {
                let message = format!("there is nothing at {path}");
                return Err(ApiError::invalid(404, message).coded("not_found"));
            }
        };
        let get = [Method::GET, Method::HEAD].contains(request.method());
        match endpoint {
            Some(endpoint) if request.method() == Method::POST => {
                self.complete(endpoint, request).await
            }
            None if get => self.look(&path),
            _ => {
                let allowed = if endpoint.is_some() {
                    "POST"
                } else {
                    "GET, HEAD"
                };
                let message = format!("{path} takes {allowed}");
                let error = ApiError::invalid(405, message).coded("method_not_allowed");
                let mut answer = refusal(&error);
                self.invalid.fetch_add(1, Ordering::Relaxed);
                let allowed = HeaderValue::from_static(allowed);
                answer.headers_mut().insert(ALLOW, allowed);
                Ok(answer)
            }
        }
    }

    fn look(&self, path: &str) -> Result<Answer, ApiError> {
        match path {
            "/health" => {
                self.engine()?;
                Ok(document(StatusCode::OK, &json!({"status": "ok"})))
            }
            "/metrics" => {
                let text = metrics::text(&self.counters, &self.invalid);
                let kind = "text/plain; version=0.0.4";
                Ok(bytes(StatusCode::OK, kind, text.into_bytes()))
            }
            _ => Ok(document(
                StatusCode::OK,
                &json!({"object": "list", "data": [{
                    "id": self.model,
                    "object": "model",
                    "created": self.started,
                    "owned_by": "evenhand",
                }]}),
            )),
        }
    }

    fn engine(&self) -> Result<&Arc<Engine>, ApiError> {
        match self.engine.get() {
            None => Err(ApiError::unavailable("the model is loading", "loading")),
            Some(engine) if !engine.is_alive() => {
                Err(ApiError::unavailable("the decoder has ended", "failed"))
            }
            Some(engine) => Ok(engine),
        }
    }

    async fn complete(
        &self,
        endpoint: Endpoint,
        request: Request<Incoming>,
    ) -> Result<Answer, ApiError> {
        let engine = self.engine()?;
        let body = self.body(request).await?;
        let asked = api::read(endpoint, &body, &self.model)?;
        let reply = Reply::new(
            endpoint,
            &asked,
            self.numbers.fetch_add(1, Ordering::Relaxed),
            unix_seconds(),
            &self.model,
            &self.fingerprint,
        );
        let Asked {
            request, stream, ..
        } = asked;
        let answer = engine
            .submit(request)
            .map_err(|e| ApiError::refused(&e, endpoint.prompt()))?;
        if stream {
            let events = Events::new(reply, Arc::clone(engine), answer.events);
            let mut answer = Response::new(Answered::Events(Box::new(events)));
            let headers = answer.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            return Ok(answer);
        }
        collect(reply, engine, answer.events).await
    }

    async fn body(&self, request: Request<Incoming>) -> Result<Bytes, ApiError> {
        let limit = self.limits.body_bytes;
        let read = Limited::new(request.into_body(), limit).collect();
        match timeout(self.limits.body(), read).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(e)) if e.is::<LengthLimitError>() => {
                let message = format!("the body has more than {limit} bytes");
                Err(ApiError::invalid(413, message).coded("body_too_large"))
            }
            Ok(Err(e)) => Err(ApiError::invalid(400, format!("the body broke off: {e}"))),
            Err(_) => Err(ApiError::invalid(408, "the body did not arrive in time")),
        }
    }
}

/// Waits for the whole answer. hyper drops this when the client is gone.
async fn collect(
    mut reply: Reply,
    engine: &Engine,
    mut events: tokio::sync::mpsc::UnboundedReceiver<Event>,
) -> Result<Answer, ApiError> {
    loop {
        match events.recv().await {
            Some(Event::Token(token)) => {
                reply.token(&token, engine.model().tokenizer());
            }
            Some(Event::Done(completion)) => {
                reply.done(&completion);
                return Ok(document(StatusCode::OK, &reply.whole(&completion)));
            }
            Some(Event::Failed(problem)) => return Err(ApiError::failed(problem)),
            None => return Err(ApiError::unavailable("the server is stopping", "stopping")),
        }
    }
}

fn refusal(error: &ApiError) -> Answer {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = document(status, &error.body());
    if [429, 503].contains(&error.status) {
        answer
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

fn document(status: StatusCode, value: &Value) -> Answer {
    bytes(status, "application/json", value.to_string().into_bytes())
}

fn bytes(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Answered::Whole(Some(body.into())));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// Names everything that can change an answer or its speed.
fn fingerprint(options: &Options) -> String {
    let named = json!([options.source, options.load, options.engine]).to_string();
    let digest = Sha256::digest(named.as_bytes());
    let hex: String = digest[..6].iter().map(|b| format!("{b:02x}")).collect();
    format!("evenhand-{}-{hex}", env!("CARGO_PKG_VERSION"))
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}
