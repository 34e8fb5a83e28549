//! The interface as text: every table, every function, every type that crosses.
//!
//! Held against `abi/interface-1.txt`, so that no change to what plugins were built for goes unnoticed. Lines may be
//! added after the last function of a table; a line that changes or goes is a new generation of the interface.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt::Write as _;

use abi_stable::StableAbi;
use abi_stable::type_layout::{FieldAccessor, TLData, TLField, TypeLayout};

use super::module::{ABI_MAJOR, PluginModuleRef};

#[test]
fn interface_is_the_one_that_plugins_were_built_for() {
    let recorded = include_str!("../../interface-1.txt");

    let current = describe(PluginModuleRef::LAYOUT);

    assert_eq!(ABI_MAJOR, 1, "a new generation needs a file of its own");
    assert_eq!(
        current, recorded,
        "the interface has changed. Appending functions to a table is fine: record the text above. Anything else \
         breaks every plugin that was built before."
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
