//! The gateway and the plugins, built once per test run.
//!
//! `cargo test` builds neither binaries nor libraries of other packages, and the third-party plugin and the fixtures are
//! workspaces of their own, so the tests ask cargo for them: a few milliseconds when nothing has changed. With `DIST` in the
//! environment, which is where `cargo xtask dist` has laid out what ships, gateway and session.so are those.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The gateway's binary.
pub fn gateway() -> &'static Path {
    built("gateway")
}

/// `session.so`.
pub fn session() -> &'static Path {
    built("session")
}

/// The plugin of `examples/third-party`, built by its own lock file.
pub fn guestbook() -> &'static Path {
    built("guestbook")
}

/// A plugin of `tests/fixtures`, by the name of its package.
pub fn fixture(name: &str) -> &'static Path {
    built(name)
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn built(name: &str) -> &'static Path {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(build_all);
    built
        .get(name)
        .unwrap_or_else(|| panic!("cargo built no {name}, only {:?}", built.keys()))
}

fn build_all() -> BTreeMap<String, PathBuf> {
    let builds: [(&str, &[&str]); 4] = [
        (".", &["--package=gateway", "--package=plugin"]),
        ("examples/third-party", &[]),
        ("tests/fixtures", &["--workspace", "--exclude=panic_abort"]),
        (
            "tests/fixtures",
            &["--package=panic_abort", "--profile=abort"],
        ),
    ];
    let artifacts = builds
        .iter()
        .flat_map(|(workspace, selection)| build(workspace, selection));
    artifacts
        .chain(shipped())
        .map(|artifact| (name(&artifact), install(&artifact)))
        .collect()
}

/// What is tested in place of what was built.
fn shipped() -> impl Iterator<Item = PathBuf> {
    let dist = env::var_os("DIST").map(|dist| root().join(dist));
    let files = |dist: PathBuf| ["gateway", "plugins/session.so"].map(|file| dist.join(file));
    dist.map(files).into_iter().flatten()
}

/// Builds a part of a workspace and says which programs and libraries came of it.
fn build(workspace: &str, selection: &[&str]) -> Vec<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--locked",
        "--message-format=json-render-diagnostics",
        "--target-dir",
    ]);
    cargo
        .arg(target_dir())
        .args(selection)
        .current_dir(root().join(workspace));
    // What the outer cargo says of the package of this test. Build scripts look at it, that of ring for one, and everything
    // above them would be built anew by each of the two.
    let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if of_package.iter().any(|prefix| text.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    if !cfg!(debug_assertions) && !selection.contains(&"--profile=abort") {
        cargo.arg("--release");
    }
    let output = cargo.stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo build failed in {workspace}");
    let messages = String::from_utf8(output.stdout).expect("cargo writes text");
    messages.lines().filter_map(artifact).collect()
}

/// The program or plugin in a message of cargo, if it announces one.
fn artifact(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let file = match message["target"]["kind"][0].as_str()? {
        "bin" => message["executable"].as_str(),
        "cdylib" => message["filenames"]
            .as_array()?
            .iter()
            .find_map(Value::as_str),
        _ => None,
    };
    file.map(PathBuf::from)
}

/// `session` for `.../libsession.so`.
fn name(artifact: &Path) -> String {
    let stem = artifact.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_prefix("lib").unwrap_or(&stem).to_owned()
}

/// Puts an artifact where no later build touches it: a library that is overwritten while a gateway has it mapped ends
/// that gateway. Hence a copy, and a rename as the last step.
fn install(artifact: &Path) -> PathBuf {
    let dir = profile_dir().join("e2e-plugins");
    fs::create_dir_all(&dir).expect("a directory for plugins");
    let extension = artifact
        .extension()
        .map_or(String::new(), |_| ".so".to_owned());
    let installed = dir.join(name(artifact) + &extension);
    let draft = tempfile::NamedTempFile::new_in(&dir)
        .expect("a draft")
        .into_temp_path();
    fs::copy(artifact, &draft).expect("a copy of the artifact");
    draft
        .persist(&installed)
        .expect("the draft takes its place");
    installed
}

/// A directory beside the tests for what people may want to look at afterwards, such as pictures of pages.
///
/// # Panics
/// When the disk is full.
pub fn scratch_directory(name: &str) -> PathBuf {
    let directory = scratch().join(name);
    fs::create_dir_all(&directory).expect("a directory beside the tests");
    directory
}

/// Where tests may keep what takes long to make.
pub(crate) fn scratch() -> PathBuf {
    profile_dir()
}

/// Where the outer cargo puts things, for the inner one to find most of its work done.
fn target_dir() -> PathBuf {
    profile_dir()
        .parent()
        .expect("the target directory")
        .to_owned()
}

fn profile_dir() -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    test.ancestors()
        .nth(2)
        .expect("<target>/<profile>/deps/<test>")
        .to_owned()
}
