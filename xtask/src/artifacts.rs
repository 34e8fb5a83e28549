//! What cargo builds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Error, root, step};

/// Files that came of a build, by kind of target: `bin`, `cdylib`.
pub(crate) struct Artifacts(Vec<(String, PathBuf)>);

impl Artifacts {
    /// Builds in a directory of the repository.
    ///
    /// # Errors
    /// When something does not build.
    pub(crate) fn build(directory: &str, options: &[&str]) -> Result<Self, Error> {
        Self::build_in(directory, options, &[])
    }

    /// The same in an environment of its own.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub(crate) fn build_in(
        directory: &str,
        options: &[&str],
        environment: &[(&str, String)],
    ) -> Result<Self, Error> {
        step::announce(&format!("cargo build {}  ({directory})", options.join(" ")));
        let mut cargo = Command::new("cargo");
        cargo
            .arg("build")
            .args(options)
            .arg("--message-format=json-render-diagnostics")
            .current_dir(root().join(directory))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::inherit());
        let output = cargo.output()?;
        if !output.status.success() {
            return Err("the build failed".into());
        }
        let messages = String::from_utf8(output.stdout)?;
        Ok(Self(messages.lines().filter_map(artifact).collect()))
    }

    /// What something makes of each file, in their places.
    ///
    /// # Errors
    /// The first that it has.
    pub(crate) fn map(
        &self,
        mut make: impl FnMut(&Path) -> Result<PathBuf, Error>,
    ) -> Result<Self, Error> {
        let made = self.0.iter();
        let made = made.map(|(kind, file)| Ok((kind.clone(), make(file)?)));
        Ok(Self(made.collect::<Result<_, Error>>()?))
    }

    /// The first of a kind.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(&self, kind: &str) -> Result<&Path, Error> {
        let found = self.0.iter().find(|(of, _)| of == kind);
        found
            .map(|(_, file)| file.as_path())
            .ok_or_else(|| format!("cargo built no {kind}").into())
    }
}

fn artifact(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let kind = message["target"]["kind"][0].as_str()?;
    let file = match kind {
        "bin" => message["executable"].as_str()?,
        "cdylib" => message["filenames"][0].as_str()?,
        _ => return None,
    };
    Some((kind.to_owned(), PathBuf::from(file)))
}
