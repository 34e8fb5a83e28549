//! What makes a build the same wherever it is made.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, root};

/// Flags for rustc, as `CARGO_ENCODED_RUSTFLAGS` takes them: instead of where this machine keeps them, programs and
/// libraries name their sources as if they were all in one place. What `RUSTFLAGS` asks for stays.
///
/// # Errors
/// When there is no rustc, or it is not known where sources are.
pub(crate) fn flags() -> Result<String, Error> {
    let wanted = env::var("RUSTFLAGS").unwrap_or_default();
    let mut flags: Vec<String> = wanted.split_whitespace().map(str::to_owned).collect();
    for (from, to) in places()? {
        flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    }
    Ok(flags.join("\x1f"))
}

/// Directories of this machine, and what they are called. Of two that fit a path the later one counts.
fn places() -> Result<Vec<(PathBuf, String)>, Error> {
    let cargo = cargo_home()?;
    let (sources, commit) = standard_library()?;
    let mut places = vec![
        (cargo.clone(), "/cargo".to_owned()),
        (sources, format!("/rustc/{commit}")),
        (fs::canonicalize(root())?, "/session.so".to_owned()),
    ];
    // Named by the registry, or by its mirror. None where all sources are in the tree.
    for registry in fs::read_dir(cargo.join("registry/src"))
        .into_iter()
        .flatten()
    {
        places.push((registry?.path(), "/cargo/registry/src".to_owned()));
    }
    Ok(places)
}

/// Holds a file against that.
///
/// # Errors
/// When it has the name of such a directory in it, which would be another one elsewhere.
pub(crate) fn inspect(file: &Path) -> Result<(), Error> {
    let bytes = fs::read(file)?;
    let text = String::from_utf8_lossy(&bytes);
    for (place, _) in places()? {
        let place = place.display().to_string();
        if let Some(at) = text.find(&place) {
            let found: String = text[at..].chars().take(160).collect();
            return Err(format!("{} names {found:?}", file.display()).into());
        }
    }
    Ok(())
}

fn cargo_home() -> Result<PathBuf, Error> {
    let in_home = || Some(Path::new(&env::var_os("HOME")?).join(".cargo"));
    let cargo = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(in_home);
    Ok(fs::canonicalize(
        cargo.ok_or("neither CARGO_HOME nor HOME is set")?,
    )?)
}

/// Where its sources would be on this machine, and what they are called where they are not.
fn standard_library() -> Result<(PathBuf, String), Error> {
    let sysroot = rustc("--print=sysroot")?;
    let version = rustc("-vV")?;
    let mut lines = version.lines();
    let commit = lines.find_map(|line| line.strip_prefix("commit-hash: "));
    let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
    Ok((
        sources,
        commit.ok_or("rustc does not know its commit")?.to_owned(),
    ))
}

/// What rustc says to an option.
///
/// # Errors
/// When there is none.
pub(crate) fn rustc(option: &str) -> Result<String, Error> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(program)
        .arg(option)
        .current_dir(root())
        .output()?;
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_that_names_its_sources_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("program");
        for (source, _) in places().unwrap() {
            let source = source.join("src/lib.rs").display().to_string();
            fs::write(&program, format!("\u{0}{source}\u{0}")).unwrap();

            let error = inspect(&program).unwrap_err().to_string();

            assert!(error.contains(&source), "{error}");
        }
        fs::write(&program, "/session.so/host/src/lib.rs").unwrap();
        assert!(inspect(&program).is_ok());
    }

    #[test]
    fn what_is_built_with_the_flags_does_not_name_this_machine() {
        let in_the_tree = tempfile::tempdir_in(fs::canonicalize(root()).unwrap()).unwrap();
        let source = in_the_tree.path().join("main.rs");
        fs::write(&source, "fn main() { println!(\"{}\", file!()) }").unwrap();
        let program = in_the_tree.path().join("program");
        let build = |flags: &str| {
            let mut rustc = Command::new("rustc");
            rustc.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
            assert!(
                rustc
                    .arg(&source)
                    .arg("-o")
                    .arg(&program)
                    .status()
                    .unwrap()
                    .success()
            );
        };

        build("");
        assert!(inspect(&program).is_err());

        build(&flags().unwrap());
        assert!(inspect(&program).is_ok());
        let said = Command::new(&program).output().unwrap().stdout;
        assert!(said.starts_with(b"/session.so/"), "{said:?}");
    }
}
