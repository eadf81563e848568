//! The format of lines, with the limit of repeats before it: a line that is left out is not even formatted.

use super::repeats::Repeats;
use super::writer::LogStats;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How the format writes a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Json,
    Text,
}

/// A format that leaves lines out of which there are too many.
pub(super) struct Limited<F> {
    format: F,
    shape: Shape,
    repeats: Repeats,
    began: Instant,
    stats: Arc<LogStats>,
}

impl<F> Limited<F> {
    pub(super) fn new(format: F, shape: Shape, stats: Arc<LogStats>) -> Limited<F> {
        Limited { format, shape, repeats: Repeats::new(), began: Instant::now(), stats }
    }

    /// Whether a line passes: then how many of its kind were left out before it. Who asks for details (debug, trace) gets
    /// all of them.
    fn pass(&self, metadata: &'static Metadata<'static>) -> Option<u64> {
        if *metadata.level() > Level::INFO {
            return Some(0);
        }
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.repeats.pass(std::ptr::from_ref(metadata).addr(), now)
    }
}

impl<S, N, F> FormatEvent<S, N> for Limited<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match self.pass(event.metadata()) {
            // Nothing is written for an event without text.
            None => drop(self.stats.repeated.fetch_add(1, Relaxed)),
            Some(0) => self.format.format_event(context, writer, event)?,
            Some(left_out) => {
                let mut line = String::new();
                self.format.format_event(context, Writer::new(&mut line), event)?;
                writer.write_str(&self.shape.with(line, left_out))?;
            }
        }
        Ok(())
    }
}

impl Shape {
    /// The line with a field that says how many were left out before it.
    fn with(self, mut line: String, left_out: u64) -> String {
        let (end, field) = match self {
            Shape::Json => ("}\n", format!(",\"left_out\":{left_out}}}\n")),
            Shape::Text => ("\n", format!(" left_out={left_out}\n")),
        };
        line.truncate(line.strip_suffix(end).map_or(line.len(), str::len));
        line.push_str(&field);
        line
    }
}

#[cfg(test)]
mod tests {
    use super::super::repeats::BURST;
    use super::*;
    use std::io;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Written(Mutex<Vec<u8>>);

    impl io::Write for &Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_repeats_is_left_out_and_other_kinds_and_details_are_not() {
        let (written, stats) = (Arc::<Written>::default(), Arc::<LogStats>::default());
        let limited = stats.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(written.clone())
            .with_max_level(Level::DEBUG)
            .json()
            .flatten_event(true)
            .map_event_format(|format| Limited::new(format, Shape::Json, limited))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..BURST + 1000 {
                tracing::error!(n, "repeats");
                tracing::debug!(n, "details");
            }
            tracing::error!("of another kind");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let count = |message: &str| text.lines().filter(|line| line.contains(message)).count() as u64;
        let left_out = stats.repeated.load(Relaxed);
        // Some more pass where this takes long.
        assert_eq!(count("repeats") + left_out, BURST + 1000);
        assert!(left_out > 500, "{left_out}");
        assert_eq!((count("details"), count("of another kind")), (BURST + 1000, 1));
    }

    #[test]
    fn a_line_says_how_many_were_left_out_before_it() {
        let json = Shape::Json.with("{\"level\":\"INFO\"}\n".to_owned(), 7);
        assert_eq!(json, "{\"level\":\"INFO\",\"left_out\":7}\n");
        assert_eq!(Shape::Text.with("INFO gone\n".to_owned(), 7), "INFO gone left_out=7\n");
    }
}
