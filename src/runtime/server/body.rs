//! Bodies of answers: one document, or events as they happen.

use crate::runtime::api::{ApiError, Reply};
use crate::runtime::engine::{Engine, Event};
use bytes::{BufMut, Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc::UnboundedReceiver;

/// The body of an answer.
pub(super) enum Answered {
    /// Everything at once.
    Whole(Option<Bytes>),
    /// Server-sent events.
    Events(Box<Events>),
}

/// A stream of one request. Dropping it, as hyper does when the client is
/// gone, cancels the request.
pub(super) struct Events {
    reply: Reply,
    engine: Arc<Engine>,
    events: UnboundedReceiver<Event>,
    /// Frames ready to be sent: one event each.
    ready: VecDeque<Bytes>,
    ended: bool,
}

impl Events {
    pub fn new(reply: Reply, engine: Arc<Engine>, events: UnboundedReceiver<Event>) -> Self {
        Self {
            ready: reply.head().iter().map(event).collect(),
            reply,
            engine,
            events,
            ended: false,
        }
    }

    fn take_in(&mut self, happened: Option<Event>) {
        match happened {
            Some(Event::Token(token)) => {
                let chunks = self.reply.token(&token, self.engine.model().tokenizer());
                self.ready.extend(chunks.iter().map(event));
                return;
            }
            Some(Event::Done(completion)) => {
                let chunks = self.reply.done(&completion);
                self.ready.extend(chunks.iter().map(event));
            }
            Some(Event::Failed(problem)) => {
                self.ready
                    .push_back(event(&ApiError::failed(problem).body()));
            }
            None => {
                let error = ApiError::unavailable("the server is stopping", "stopping");
                self.ready.push_back(event(&error.body()));
            }
        }
        self.ready
            .push_back(Bytes::from_static(b"data: [DONE]\n\n"));
        self.ended = true;
    }
}

/// `data: {...}` and an empty line.
fn event(value: &Value) -> Bytes {
    let mut frame = BytesMut::with_capacity(256);
    frame.put_slice(b"data: ");
    let mut writer = frame.writer();
    serde_json::to_writer(&mut writer, value).expect("plain data has a JSON form");
    let mut frame = writer.into_inner();
    frame.put_slice(b"\n\n");
    frame.freeze()
}

impl Body for Answered {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Events(events) => loop {
                if let Some(frame) = events.ready.pop_front() {
                    break Some(frame);
                }
                if events.ended {
                    break None;
                }
                match events.events.poll_recv(cx) {
                    Poll::Ready(happened) => events.take_in(happened),
                    Poll::Pending => return Poll::Pending,
                }
            },
        };
        Poll::Ready(frame.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Events(events) => events.ended && events.ready.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Events(_) => SizeHint::default(),
        }
    }
}
