//! The interface as text: every table, every function, every type that crosses, and what numbers stand for in them.
//!
//! Held against `abi/interface-1.txt`, so that no change to what plugins were built for goes unnoticed. Lines may be
//! added after the last function of a table and for further numbers; a line that changes or goes is a new generation of
//! the interface.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt::Write as _;

use abi_stable::StableAbi;
use abi_stable::type_layout::{FieldAccessor, TLData, TLField, TypeLayout};
use tracing_core::Level;

use super::module::{ABI_MAJOR, PluginModuleRef};
use super::{event_loop, trace};
use crate::event_loop::Interest;
use crate::exchange::{Fact, Side};
use crate::failure::Kind;
use crate::session::{Attribute, Standing};

#[test]
fn interface_is_the_one_that_plugins_were_built_for() {
    let recorded = include_str!("../../interface-1.txt");

    let current = [describe(PluginModuleRef::LAYOUT), numbers()].join("\n");

    assert_eq!(ABI_MAJOR, 1, "a new generation needs a file of its own");
    assert!(
        current == recorded,
        "the interface has changed. Functions at the end of a table, and numbers for what is new, are fine: record the \
         text below. Anything else breaks every plugin that was built before.\n{current}"
    );
}

#[test]
fn function_that_was_appended_may_be_missing() {
    let mut mandatory = Vec::new();
    for layout in reachable(PluginModuleRef::LAYOUT) {
        if let TLData::PrefixType(table) = layout.data() {
            let appended = table.fields.iter().skip(table.first_suffix_field.into());
            let other =
                appended.filter(|field| field.field_accessor() != FieldAccessor::MethodOption);
            mandatory.extend(other.map(|function| (layout.name(), function.name())));
        }
    }

    assert!(
        mandatory.is_empty(),
        "without #[sabi(missing_field(option))] a call to an older plugin panics: {mandatory:?}"
    );
}

fn describe(root: &'static TypeLayout) -> String {
    let mut described = BTreeSet::new();
    for layout in reachable(root) {
        let mut text = String::new();
        for field in fields(layout) {
            let functions = field.function_range();
            let shown = functions.iter().map(|function| flat(&function.to_string()));
            let what = match field.is_function() {
                true => shown.collect(),
                false => field.full_type().to_string(),
            };
            let _ = writeln!(text, "    {}: {what}", field.name());
        }
        // What `abi_stable` itself brings is its own promise.
        if ["abi", "async-ffi"].contains(&layout.package().as_str()) {
            described.insert(format!("{}\n{text}", layout.full_type()));
        }
    }
    described.into_iter().collect::<Vec<_>>().join("\n")
}

/// What a layout does not show: what the numbers stand for that cross in place of names.
fn numbers() -> String {
    macro_rules! named {
        ($($number:expr),* $(,)?) => {
            [$((stringify!($number), u64::from($number))),*]
        };
    }
    let numbers = named![
        Side::Request as u8,
        Side::Response as u8,
        Fact::Method as u8,
        Fact::Path as u8,
        Fact::Query as u8,
        Fact::Host as u8,
        Fact::Scheme as u8,
        Fact::Peer as u8,
        Fact::Route as u8,
        Fact::SentPath as u8,
        Interest::Read as u8,
        Interest::Write as u8,
        Standing::Good as u8,
        Standing::Over as u8,
        Standing::Nobodys as u8,
        Kind::INTERNAL.code(),
        Kind::UNAVAILABLE.code(),
        Kind::BAD_REQUEST.code(),
        Kind::UNAUTHORIZED.code(),
        Kind::FORBIDDEN.code(),
        Kind::TOO_LARGE.code(),
        Attribute::Text("").parts().0,
        Attribute::Number("0").parts().0,
        Attribute::Flag(false).parts().0,
        Attribute::Flag(true).parts().0,
        Attribute::List("[]").parts().0,
        Attribute::Object("{}").parts().0,
        event_loop::PENDING,
        event_loop::READY,
        event_loop::GONE,
        trace::CONTEXTUAL,
        trace::ROOT,
        trace::BOOL,
        trace::SIGNED,
        trace::UNSIGNED,
        trace::FLOAT,
        trace::TEXT,
        trace::DEBUG,
        trace::ENTER,
        trace::EXIT,
        trace::CLONE,
        trace::CLOSE,
        trace::FOLLOWS,
        trace::level_code(Level::ERROR),
        trace::level_code(Level::WARN),
        trace::level_code(Level::INFO),
        trace::level_code(Level::DEBUG),
        trace::level_code(Level::TRACE),
    ];
    let mut text = String::from("numbers\n");
    for (name, number) in numbers {
        let _ = writeln!(text, "    {name}: {number}");
    }
    text
}

/// The type itself and every type that is in it, or that its functions take or return.
fn reachable(root: &'static TypeLayout) -> Vec<&'static TypeLayout> {
    let mut reached: Vec<&'static TypeLayout> = Vec::new();
    let mut seen = HashSet::new();
    let mut queue = VecDeque::from([root]);
    while let Some(layout) = queue.pop_front() {
        // By address: forms of one generic type have one name.
        if !seen.insert(std::ptr::from_ref(layout)) {
            continue;
        }
        reached.push(layout);
        for field in fields(layout) {
            queue.push_back(field.layout());
            for function in field.function_range().iter() {
                queue.extend(function.param_type_layouts.iter().map(|layout| layout()));
                queue.extend(function.return_type_layout().map(|layout| layout()));
            }
        }
    }
    reached
}

fn fields(layout: &'static TypeLayout) -> impl Iterator<Item = TLField> {
    let fields = layout.get_fields().into_iter();
    let fields = fields.chain([layout.phantom_fields()]);
    fields.flat_map(|fields| fields.to_vec())
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
