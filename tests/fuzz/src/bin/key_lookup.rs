//! `keyLookup`, one text per line.
#![no_main]
#![forbid(unsafe_code)]

use engine::{KeyLookup, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let each: Result<Vec<Source>, _> = text.split('\n').map(str::parse).collect();
    match KeyLookup::parse(text.split('\n')) {
        Ok(lookup) => {
            assert_eq!(Ok(lookup.sources()), each.as_deref());
            let written: Vec<String> = lookup.sources().iter().map(Source::to_string).collect();
            let again = KeyLookup::parse(written.iter().map(String::as_str));
            assert_eq!(again, Ok(lookup), "written as {written:?}");
        }
        Err(error) => {
            assert!(each.is_err() || has_twins(&each.unwrap_or_default()));
            assert!(
                !error.to_string().contains(char::is_control),
                "a fault is one line"
            );
        }
    }
});

fn has_twins(sources: &[Source]) -> bool {
    let mut rest = sources.iter();
    std::iter::from_fn(|| rest.next().map(|source| rest.as_slice().contains(source)))
        .any(|twin| twin)
}
