//! A plugin's side of the log.

use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::panic;
use std::sync::{Once, PoisonError, RwLock};

use tracing_core::callsite::Identifier;
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Interest, LevelFilter, Metadata, Subscriber, dispatcher};

use super::{
    BOOL, CLONE, CLOSE, CONTEXTUAL, DEBUG, ENTER, EXIT, FLOAT, FOLLOWS, ROOT, RawCallsite,
    RawField, SIGNED, TEXT, TraceTableRef, UNSIGNED, level_code,
};
use crate::raw::View;

/// Sends this library's events and panics to the gateway's log, from the first call on.
pub(crate) fn connect(table: TraceTableRef, plugin: &'static str) {
    static CONNECTED: Once = Once::new();
    CONNECTED.call_once(|| {
        let bridge = Bridge {
            table,
            callsites: RwLock::default(),
        };
        // Fails where library and gateway are one binary, as in tests: then they share a log already.
        if dispatcher::set_global_default(bridge.into()).is_ok() {
            report_panics(plugin);
        }
    });
}

// Each library has its own panic hook too; the default one would write past the log.
fn report_panics(plugin: &'static str) {
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        let text = panic.payload_as_str().unwrap_or("a panic without a text");
        tracing::error!(target: "panic", plugin, place, "{text}");
    }));
}

struct Bridge {
    table: TraceTableRef,
    // The gateway's number of each callsite. Addresses, because raw pointers are not `Send`.
    callsites: RwLock<HashMap<Identifier, usize>>,
}

impl Bridge {
    fn callsite(&self, callsite: &Identifier) -> *const c_void {
        let callsites = self
            .callsites
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        callsites
            .get(callsite)
            .map_or(std::ptr::null(), |address| *address as *const c_void)
    }

    fn span(&self, change: u8, span: &Id, other: u64) -> u64 {
        if span.into_u64() == ROOT || other == ROOT {
            return ROOT;
        }
        // SAFETY: the table is the gateway's, and takes any number.
        unsafe { (self.table.span())(change, span.into_u64(), other) }
    }
}

impl Subscriber for Bridge {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let fields: Vec<View> = metadata
            .fields()
            .iter()
            .map(|field| View::of(field.name().as_bytes()))
            .collect();
        let view = |text: Option<&'static str>| View::maybe(text.map(str::as_bytes));
        let raw = RawCallsite {
            name: view(Some(metadata.name())),
            target: view(Some(metadata.target())),
            file: view(metadata.file()),
            module: view(metadata.module_path()),
            line: metadata.line().unwrap_or(0),
            level: level_code(*metadata.level()),
            is_span: metadata.is_span(),
            fields: fields.as_ptr(),
            field_count: fields.len(),
        };
        // SAFETY: the table is the gateway's; all texts of `'static` metadata live as long as this library, and it
        // is never unloaded; `fields` is read during the call.
        let registered = unsafe { (self.table.register())(raw) };
        self.callsites
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(metadata.callsite(), registered.callsite as usize);
        match registered.interest {
            0 => Interest::never(),
            1 => Interest::sometimes(),
            _ => Interest::always(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // SAFETY: the table is the gateway's.
        let level = unsafe { (self.table.max_level())() };
        Some(match level {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // SAFETY: null, or what the gateway answered to the registration.
        unsafe { (self.table.enabled())(self.callsite(&metadata.callsite())) }
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let parent = match event.is_contextual() {
            true => CONTEXTUAL,
            false => explicit(event.parent()),
        };
        let callsite = self.callsite(&event.metadata().callsite());
        fields.lend(|fields| {
            // SAFETY: as in `enabled`; the fields are lent for the call.
            unsafe {
                (self.table.event())(callsite, parent, fields.as_ptr(), fields.len());
            }
        });
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = match attributes.is_contextual() {
            true => CONTEXTUAL,
            false => explicit(attributes.parent()),
        };
        let callsite = self.callsite(&attributes.metadata().callsite());
        let mut span = 0;
        fields.lend(|fields| {
            // SAFETY: as in `event`.
            span =
                unsafe { (self.table.new_span())(callsite, parent, fields.as_ptr(), fields.len()) };
        });
        opened(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        if span.into_u64() == ROOT {
            return;
        }
        let mut fields = Fields::default();
        values.record(&mut fields);
        let callsite = fields
            .callsite
            .as_ref()
            .map_or(std::ptr::null(), |callsite| self.callsite(callsite));
        fields.lend(|fields| {
            // SAFETY: as in `event`.
            unsafe {
                (self.table.record())(callsite, span.into_u64(), fields.as_ptr(), fields.len());
            }
        });
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.span(FOLLOWS, span, follows.into_u64());
    }

    fn enter(&self, span: &Id) {
        self.span(ENTER, span, 0);
    }

    fn exit(&self, span: &Id) {
        self.span(EXIT, span, 0);
    }

    fn clone_span(&self, span: &Id) -> Id {
        opened(self.span(CLONE, span, 0))
    }

    fn try_close(&self, span: Id) -> bool {
        self.span(CLOSE, &span, 0);
        false
    }
}

/// A gateway that could not open a span answers 0. What is in it then stands outside of all, and nothing else is said of
/// it: any number below could be that of somebody else's.
fn opened(span: u64) -> Id {
    Id::from_u64(match span {
        0 => ROOT,
        span => span,
    })
}

fn explicit(parent: Option<&Id>) -> u64 {
    parent.map_or(ROOT, Id::into_u64)
}

/// The fields of one event or span, with the texts they point to.
#[derive(Default)]
struct Fields {
    fields: Vec<(RawField, String)>,
    callsite: Option<Identifier>,
}

impl Fields {
    fn push(&mut self, field: &Field, kind: u8, number: u64, text: String) {
        let raw = RawField {
            index: field.index() as u32,
            kind,
            number,
            text: View::ABSENT,
        };
        self.fields.push((raw, text));
        self.callsite = Some(field.callsite());
    }

    /// Points each field to its text, now that none of them moves any more.
    fn lend(&self, to: impl FnOnce(&[RawField])) {
        let fields: Vec<RawField> = self
            .fields
            .iter()
            .map(|(field, text)| RawField {
                text: View::of(text.as_bytes()),
                ..*field
            })
            .collect();
        to(&fields);
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, BOOL, u64::from(value), String::new());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, SIGNED, value.cast_unsigned(), String::new());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, UNSIGNED, value, String::new());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, FLOAT, value.to_bits(), String::new());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, TEXT, 0, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, DEBUG, 0, format!("{value:?}"));
    }
}
