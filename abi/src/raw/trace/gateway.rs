//! The gateway's side of the log.

use std::ffi::c_void;
use std::fmt;
use std::sync::OnceLock;

use abi_stable::prefix_type::WithMetadata;
use tracing_core::callsite::{self, Callsite, Identifier};
use tracing_core::field::{FieldSet, Value};
use tracing_core::metadata::Kind;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, Interest, Level, LevelFilter, Metadata, dispatcher};

use super::{
    BOOL, CLONE, CLOSE, CONTEXTUAL, DEBUG, ENTER, EXIT, FLOAT, FOLLOWS, ROOT, RawCallsite,
    RawField, Registered, SIGNED, TEXT, TraceTable, TraceTableRef, UNSIGNED, level_code,
};
use crate::raw::guard::{contain, quietly};

/// A plugin's callsite, as one of ours. Leaked, like the library it describes.
struct Adopted {
    metadata: OnceLock<Metadata<'static>>,
}

impl Callsite for Adopted {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata
            .get()
            .expect("set before the callsite is shown to anybody")
    }
}

const PREFIX: &WithMetadata<TraceTable> = &WithMetadata::new(TraceTable {
    register,
    max_level,
    enabled,
    event,
    new_span,
    record,
    span,
});

/// The log of the process that this is linked into.
pub(crate) const TABLE: TraceTableRef = TraceTableRef(PREFIX.static_as_prefix());

/// # Safety
/// The views of `raw` must live for ever; they are texts in a library that is never unloaded.
unsafe extern "C" fn register(raw: RawCallsite) -> Registered {
    let adopt = || {
        // SAFETY: the caller's promise; `fields` points to `field_count` views.
        let (fields, texts) = unsafe {
            let fields = std::slice::from_raw_parts(raw.fields, raw.field_count);
            let fields: Vec<&'static str> = fields
                .iter()
                .map(|field| field.text().unwrap_or("?"))
                .collect();
            (
                fields,
                [raw.name, raw.target, raw.file, raw.module].map(|text| text.text()),
            )
        };
        let [name, target, file, module] = texts;
        let adopted: &'static Adopted = Box::leak(Box::new(Adopted {
            metadata: OnceLock::new(),
        }));
        let fields = FieldSet::new(Box::leak(fields.into_boxed_slice()), Identifier(adopted));
        let metadata = Metadata::new(
            name.unwrap_or("plugin"),
            target.unwrap_or("plugin"),
            level(raw.level),
            file,
            Some(raw.line).filter(|line| *line != 0),
            module,
            fields,
            if raw.is_span { Kind::SPAN } else { Kind::EVENT },
        );
        adopted.metadata.get_or_init(|| metadata);
        callsite::register(adopted);
        let interest = dispatcher::get_default(|log| log.register_callsite(adopted.metadata()));
        Registered {
            callsite: std::ptr::from_ref(adopted).cast(),
            interest: if interest.is_never() {
                0
            } else {
                1 + u8::from(interest.is_always())
            },
        }
    };
    contain("log register", adopt).unwrap_or(Registered {
        callsite: std::ptr::null(),
        interest: 0,
    })
}

unsafe extern "C" fn max_level() -> u8 {
    LevelFilter::current().into_level().map_or(0, level_code)
}

fn level(number: u8) -> Level {
    match number {
        0 | 1 => Level::ERROR,
        2 => Level::WARN,
        3 => Level::INFO,
        4 => Level::DEBUG,
        _ => Level::TRACE,
    }
}

/// # Safety
/// `callsite` must be null or come from [`register`].
unsafe fn metadata(callsite: *const c_void) -> Option<&'static Metadata<'static>> {
    // SAFETY: the caller's promise; registered callsites are leaked.
    unsafe { callsite.cast::<Adopted>().as_ref() }.and_then(|adopted| adopted.metadata.get())
}

unsafe extern "C" fn enabled(callsite: *const c_void) -> bool {
    // SAFETY: plugins pass only what `register` answered.
    unsafe { metadata(callsite) }
        .is_some_and(|metadata| dispatcher::get_default(|log| log.enabled(metadata)))
}

unsafe extern "C" fn event(
    callsite: *const c_void,
    parent: u64,
    fields: *const RawField,
    count: usize,
) {
    // SAFETY: plugins pass only what `register` answered, and `count` fields lent for the call.
    unsafe {
        with_values(callsite, fields, count, |log, metadata, values| {
            let event = match span_parent(parent) {
                Parent::Contextual => Event::new(metadata, values),
                Parent::Root => Event::new_child_of(None, metadata, values),
                Parent::Span(id) => Event::new_child_of(id, metadata, values),
            };
            if log.enabled(metadata) {
                log.event(&event);
            }
        });
    }
}

unsafe extern "C" fn new_span(
    callsite: *const c_void,
    parent: u64,
    fields: *const RawField,
    count: usize,
) -> u64 {
    let mut id = 0;
    // SAFETY: as in `event`.
    unsafe {
        with_values(callsite, fields, count, |log, metadata, values| {
            let attributes = match span_parent(parent) {
                Parent::Contextual => Attributes::new(metadata, values),
                Parent::Root => Attributes::new_root(metadata, values),
                Parent::Span(id) => Attributes::child_of(id, metadata, values),
            };
            id = log.new_span(&attributes).into_u64();
        });
    }
    id
}

unsafe extern "C" fn record(
    callsite: *const c_void,
    span: u64,
    fields: *const RawField,
    count: usize,
) {
    // SAFETY: as in `event`.
    unsafe {
        with_values(callsite, fields, count, |log, _, values| {
            log.record(&Id::from_u64(span), &Record::new(values));
        });
    }
}

unsafe extern "C" fn span(change: u8, span: u64, other: u64) -> u64 {
    if span == 0 {
        return 0;
    }
    let id = Id::from_u64(span);
    contain("log span", || {
        dispatcher::get_default(|log| match change {
            ENTER => log.enter(&id),
            EXIT => log.exit(&id),
            CLOSE => drop(log.try_close(id.clone())),
            FOLLOWS if other != 0 => log.record_follows_from(&id, &Id::from_u64(other)),
            _ => {}
        });
        if change == CLONE {
            dispatcher::get_default(|log| log.clone_span(&id)).into_u64()
        } else {
            span
        }
    })
    .unwrap_or(span)
}

enum Parent {
    Contextual,
    Root,
    Span(Id),
}

fn span_parent(number: u64) -> Parent {
    match number {
        CONTEXTUAL => Parent::Contextual,
        ROOT => Parent::Root,
        span => Parent::Span(Id::from_u64(span)),
    }
}

/// Turns the fields that crossed into a `ValueSet` and hands it on.
///
/// # Safety
/// `callsite` must be null or come from [`register`], and `fields` point to `count` fields lent for the call.
unsafe fn with_values(
    callsite: *const c_void,
    fields: *const RawField,
    count: usize,
    with: impl FnOnce(&Dispatch, &'static Metadata<'static>, &tracing_core::field::ValueSet<'_>),
) {
    // SAFETY: the caller's promise.
    let (metadata, fields) = unsafe {
        let fields = if fields.is_null() {
            &[]
        } else {
            std::slice::from_raw_parts(fields, count)
        };
        (metadata(callsite), fields)
    };
    let Some(metadata) = metadata else { return };
    quietly("log", || {
        let names = metadata.fields();
        let mut values: Vec<Option<Box<dyn Value>>> = Vec::new();
        values.resize_with(names.len(), || None);
        for field in fields {
            if let Some(slot) = values.get_mut(field.index as usize) {
                *slot = value(field);
            }
        }
        let values: Vec<Option<&dyn Value>> = values.iter().map(Option::as_deref).collect();
        let log = dispatcher::get_default(Dispatch::clone);
        with(&log, metadata, &names.value_set_all(&values));
    });
}

fn value(field: &RawField) -> Option<Box<dyn Value>> {
    // SAFETY: the text is lent for the call of the table's function that this runs in; it is copied here.
    let text = || unsafe { field.text.text() }.unwrap_or_default().to_owned();
    Some(match field.kind {
        BOOL => Box::new(field.number != 0),
        SIGNED => Box::new(field.number.cast_signed()),
        UNSIGNED => Box::new(field.number),
        FLOAT => Box::new(f64::from_bits(field.number)),
        TEXT => Box::new(text()),
        DEBUG => Box::new(tracing_core::field::debug(Formatted(text()))),
        _ => return None,
    })
}

/// A value that the plugin has already formatted with `Debug` or `Display`.
struct Formatted(String);

impl fmt::Debug for Formatted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
