//! The path of a request and, on the next line, a pattern: one spelling for what means the same, and no way around.
#![no_main]
#![forbid(unsafe_code)]

use std::borrow::Cow;

use abi::path::{normalise, readings};
use engine::middlewares::{PathGlob, PathGlobs};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (path, pattern) = text.split_once('\n').unwrap_or((text, "/*"));

    let normal = normalise(path);
    assert!(matches!(normalise(&normal), Cow::Borrowed(again) if again == normal));
    assert!(normal.is_ascii() && !normal.contains("//"));
    assert_eq!(decoded(&normal), decoded(&without_repeated_slashes(path)));

    let others = readings(&normal);
    for reading in &others {
        assert_eq!(normalise(reading), *reading);
        // Whoever reads it once more finds nothing new.
        let known = |again: &String| *again == normal || others.contains(again);
        assert!(readings(reading).iter().all(known), "{normal} {others:?}");
    }

    if let Ok(glob) = pattern.parse::<PathGlob>() {
        let globs: PathGlobs = [glob].into_iter().collect();
        let pattern = in_full(pattern);
        let fits = |path: &str| is_match(&segments(&pattern), &segments(path));
        // However a server behind may read it.
        let is_meant = fits(&normal) || others.iter().any(|reading| fits(reading));
        assert_eq!(globs.matches(&normal), is_meant);
    }
});

fn without_repeated_slashes(path: &str) -> String {
    let mut last = None;
    path.chars()
        .filter(|&char| last.replace(char) != Some('/') || char != '/')
        .collect()
}

/// The bytes that a path stands for.
fn decoded(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code
            .filter(|_| *first == b'%')
            .map(|digits| u8::from_str_radix(digits, 16))
        {
            Some(Ok(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

/// What a last `/*` is short for.
fn in_full(pattern: &str) -> String {
    let normal = normalise(pattern);
    match normal.strip_suffix("/*") {
        Some(above) => format!("{above}/**"),
        None => normal.into_owned(),
    }
}

fn segments(path: &str) -> Vec<&str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').skip(1).collect()
}

/// Every way in which the wildcards could be meant, tried from the end, each once.
fn is_match(pattern: &[&str], path: &[&str]) -> bool {
    fits(
        pattern,
        path,
        |part| *part == "**",
        |part, segment| {
            fits(
                part.as_bytes(),
                segment.as_bytes(),
                |byte| *byte == b'*',
                |one, other| one == other,
            )
        },
    )
}

fn fits<T>(pattern: &[T], text: &[T], is_any: fn(&T) -> bool, is_one: fn(&T, &T) -> bool) -> bool {
    // Whether what is left of the pattern fits the text from each place on.
    let mut fitting: Vec<bool> = (0..=text.len()).map(|at| at == text.len()).collect();
    for part in pattern.iter().rev() {
        let rest = fitting.clone();
        for at in (0..=text.len()).rev() {
            let next = |fitting: &[bool]| fitting.get(at + 1).copied().unwrap_or(false);
            fitting[at] = if is_any(part) {
                rest[at] || next(&fitting)
            } else {
                next(&rest) && is_one(part, &text[at])
            };
        }
    }
    fitting[0]
}
