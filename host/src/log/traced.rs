//! Lines of requests in a trace name it.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::trace;

/// Adds `trace` to what else a line says, unless it is there.
pub(super) struct Traced<F> {
    pub(super) line: F,
    pub(super) ending: Ending,
}

/// How a line goes on.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    /// ` trace=...`
    Text,
    /// `,"trace":"..."}`
    Json,
}

impl<S, N, F> FormatEvent<S, N> for Traced<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let is_told = || event.metadata().fields().field(NAME).is_some();
        let Some(trace) = trace::current().filter(|_| !is_told()) else {
            return self.line.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.line
            .format_event(context, Writer::new(&mut line), event)?;
        match self.ending {
            Ending::Text => writeln!(writer, "{} {NAME}={trace}", line.trim_end()),
            Ending::Json => {
                let object = line.trim_end().strip_suffix('}').unwrap_or(&line);
                writeln!(writer, "{object},\"{NAME}\":\"{trace}\"}}")
            }
        }
    }
}

const NAME: &str = "trace";
