//! `cargo xtask fuzz`

use std::fs::{self, DirEntry};
use std::time::SystemTime;

use crate::step::{self, Report};
use crate::{Error, root, tools};

/// Runs fuzz targets, one after the other.
///
/// # Errors
/// When an option is wrong, or a target fails: the message names the input that did it.
pub(crate) fn fuzz(words: &[&str]) -> Result<(), Error> {
    if words.contains(&"--help") {
        println!("{HELP}");
        return Ok(());
    }
    let options = Options::parse(words)?;
    tools::require(tools::FOR_FUZZ)?;
    build()?;
    let mut report = Report::default();
    for target in &options.targets {
        report.step(target, || {
            run(target, &[&format!("-max_total_time={}", options.seconds)])?;
            if options.keep { keep(target) } else { Ok(()) }
        });
    }
    report.finish()
}

/// Tries the committed inputs of every target, and more for a few seconds.
///
/// # Errors
/// When it cannot be told which targets there are.
pub(crate) fn smoke(report: &mut Report) -> Result<(), Error> {
    report.step("build of the fuzz targets", build);
    for target in targets()? {
        report.step(&format!("fuzz target {target}"), || {
            run(&target, &["-max_total_time=3", "-verbosity=0"])
        });
    }
    Ok(())
}

struct Options {
    targets: Vec<String>,
    seconds: u32,
    keep: bool,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self, Error> {
        let known = targets()?;
        let mut options = Self {
            targets: Vec::new(),
            seconds: 10,
            keep: false,
        };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            match word {
                "--keep" => options.keep = true,
                "--seconds" => {
                    let number = words.next().ok_or("--seconds needs a number")?;
                    let seconds = number.parse();
                    options.seconds = seconds.map_err(|_| format!("{number} is no number"))?;
                }
                target if known.iter().any(|known| known == target) => {
                    options.targets.push(target.to_owned());
                }
                other => {
                    let known = known.join(", ");
                    return Err(format!("{other} is no fuzz target; there are {known}").into());
                }
            }
        }
        if options.targets.is_empty() {
            options.targets = known;
        }
        Ok(options)
    }
}

/// The names of all targets, in order.
fn targets() -> Result<Vec<String>, Error> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(root().join(WORKSPACE).join("src/bin"))? {
        let file = entry?.path();
        targets.extend(file.file_stem().map(|name| name.to_string_lossy().into()));
    }
    targets.sort();
    Ok(targets)
}

fn build() -> Result<(), Error> {
    step::run(WORKSPACE, "cargo", &["build", "--locked", "--release"])
}

/// What earlier runs left goes in first, so that an input that made the target fail is tried again at once.
fn run(target: &str, options: &[&str]) -> Result<(), Error> {
    let (artifacts, corpus) = (format!("artifacts/{target}"), format!("corpus/{target}"));
    for directory in [&artifacts, &corpus] {
        fs::create_dir_all(root().join(WORKSPACE).join(directory))?;
    }
    let prefix = format!("-artifact_prefix={artifacts}/");
    let always = [
        &*prefix,
        "-max_len=4096",
        "-timeout=10",
        &artifacts,
        &corpus,
    ];
    let began = SystemTime::now();
    start(target, &[options, &always].concat()).map_err(|error| {
        let failure = failure_since(began, &format!("{WORKSPACE}/{artifacts}"));
        failure.map_or(error, |input| format!("its input is in {input}").into())
    })
}

/// Adds what reaches something new to the inputs that are committed, as few as can be.
fn keep(target: &str) -> Result<(), Error> {
    let (artifacts, corpus) = (format!("artifacts/{target}"), format!("corpus/{target}"));
    let options = ["-set_cover_merge=1", "-use_counters=0", &corpus, &artifacts];
    start(target, &options)
}

fn start(target: &str, options: &[&str]) -> Result<(), Error> {
    let cargo = ["run", "--locked", "--release", "--bin", target, "--"];
    step::run(WORKSPACE, "cargo", &[&cargo, options].concat())
}

/// The file that a failing run wrote last. Files without a word before the hash are no failures.
fn failure_since(began: SystemTime, directory: &str) -> Option<String> {
    let written = |entry: &DirEntry| entry.metadata().and_then(|file| file.modified()).ok();
    let entries = fs::read_dir(root().join(directory)).ok()?.flatten();
    let failures = entries.filter(|entry| {
        entry.file_name().to_string_lossy().contains('-') && written(entry) >= Some(began)
    });
    let newest = failures.max_by_key(written)?;
    Some(format!("{directory}/{}", newest.file_name().display()))
}

const WORKSPACE: &str = "tests/fuzz";

const HELP: &str = "\
usage: cargo xtask fuzz [target...] [--seconds N] [--keep]

  Feeds a target with inputs that reach more and more of the code, until one breaks a promise. Without a target all
  of them take their turn.

  --seconds N       for each target; 10 unless given
  --keep            afterwards, add what reaches something new to tests/fuzz/corpus, to be committed

  A target is a program in tests/fuzz/src/bin: it takes any bytes, and panics when something does not hold. Its
  committed inputs are in tests/fuzz/corpus/<target>, a file each; add one by hand for what a fuzzer will not guess.
  What a run finds stays in tests/fuzz/artifacts/<target>, and the next run begins with it: an input that made the
  target fail, `crash-<hash>`, is tried again at once, until it is fixed. Then move it to the corpus, with a name that
  says what it is.

  While it runs, lines with NEW say that another part of the code was reached (cov); when none has come for a while,
  a longer run finds little. `cargo xtask test` gives each target three seconds.";
