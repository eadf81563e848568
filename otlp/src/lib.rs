//! Spans for a collector of OpenTelemetry: how they are written, how they wait, and when they are sent.
//!
//! ```text
//! protobuf  the few forms of protobuf that spans need
//! span      one span as it grows
//! batch     spans of one process as a request, and what a collector says of them
//! spans     the queue between those who make spans and the task that sends them
//! export    the task: batches, deadlines, pauses, the end
//! ```
//! The gateway and the SDK both export by this. How a request is sent is theirs: this crate knows no socket. What is sent is
//! [OTLP](https://opentelemetry.io/docs/specs/otlp/#otlphttp) over HTTP in protobuf's binary form.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod batch;
mod export;
mod protobuf;
mod span;
mod spans;

pub use batch::{CONTENT_TYPE, Resource};
pub use export::{Answer, Course, export};
pub use span::{Kind, Span};
pub use spans::{Lost, Spans, Stats};
