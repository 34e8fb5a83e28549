//! Programs of the tests that run on node, with what they need from npm.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::plugins;

/// Where the program of `tests/<name>` is, with everything it needs: copied and installed once for each version of its
/// `sources`, the manifest and the lock file among them.
///
/// # Panics
/// When npm cannot install it.
pub fn installed(name: &str, sources: &[&str]) -> PathBuf {
    let source = plugins::root().join("tests").join(name);
    let home = plugins::scratch().join(format!("e2e-{name}"));
    let is_there = sources.iter().all(|name| {
        let [ours, theirs] = [&source, &home].map(|directory| fs::read(directory.join(name)));
        ours.is_ok_and(|ours| theirs.is_ok_and(|theirs| ours == theirs))
    });
    if is_there {
        return home;
    }
    let draft = tempfile::tempdir_in(plugins::scratch()).expect("a draft");
    for name in sources {
        fs::copy(source.join(name), draft.path().join(name)).expect("a copy of the program");
    }
    let installed = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(draft.path())
        .output()
        .expect("npm starts");
    assert!(installed.status.success(), "npm ci failed: {installed:?}");
    let _ = fs::remove_dir_all(&home);
    // Another test program may have been faster with the same.
    let _ = fs::rename(draft.keep(), &home);
    home
}
