//! One line from the thousands that `abi_stable` prints about a layout that differs.

use std::fmt::{Debug, Display};

use abi_stable::abi_stability::abi_checking::{
    AbiInstability as Difference, AbiInstabilityErrors, ExpectedFound,
};
use abi_stable::type_layout::TLFieldOrFunction;

/// Where the first difference is and what it is. The check took the plugin's form for the expected one; here it is the
/// gateway's. The innermost one is the cause; those around it follow from it.
pub(crate) fn summary(errors: &AbiInstabilityErrors) -> String {
    let innermost = errors
        .errors
        .iter()
        .filter(|error| !error.errs.is_empty())
        .max_by_key(|error| error.stack_trace.len());
    let Some(innermost) = innermost else {
        return "the layouts differ".to_owned();
    };
    let place: Vec<String> = innermost
        .stack_trace
        .iter()
        .map(|step| name(&step.found))
        .collect();
    let what: Vec<String> = innermost.errs.iter().map(describe).collect();
    format!("{}: {}", place.join("."), what.join(", "))
}

fn name(step: &TLFieldOrFunction) -> String {
    match step {
        TLFieldOrFunction::Field(field) => field.name().to_owned(),
        TLFieldOrFunction::Function(function) => function.name.as_str().to_owned(),
    }
}

fn describe(difference: &Difference) -> String {
    match difference {
        Difference::Name(found) => display("type", found),
        Difference::Package(found) => display("crate", found),
        Difference::PackageVersion(found) => display("crate version", found),
        Difference::MismatchedPrefixSize(found) => display("number of mandatory functions", found),
        Difference::Size(found) => display("size", found),
        Difference::Alignment(found) => display("alignment", found),
        Difference::FieldCountMismatch(found) => display("number of fields", found),
        Difference::TooManyVariants(_) => "it has other variants".to_owned(),
        Difference::UnexpectedField(ExpectedFound {
            expected: theirs,
            found: ours,
        }) => format!("field is `{}`, expected `{}`", theirs.name(), ours.name()),
        Difference::UnexpectedVariant(found) => display("variant", found),
        Difference::MismatchedPrimitive(found) => debug("primitive", found),
        Difference::TLDataDiscriminant(found) => debug("kind of type", found),
        Difference::FnLifetimeMismatch(_) | Difference::FieldLifetimeMismatch(_) => {
            "its lifetimes differ".to_owned()
        }
        _ => "it differs".to_owned(),
    }
}

fn display<T: Display>(what: &str, both: &ExpectedFound<T>) -> String {
    let (theirs, ours) = (&both.expected, &both.found);
    format!("{what} is {theirs}, expected {ours}")
}

fn debug<T: Debug>(what: &str, both: &ExpectedFound<T>) -> String {
    let (theirs, ours) = (&both.expected, &both.found);
    format!("{what} is {theirs:?}, expected {ours:?}")
}
