//! Signatures of OpenSSH (`ssh-keygen -Y`): whoever deploys over SSH has all it takes to check one.

use std::path::Path;

use crate::{Error, step};

/// Signs a file with a private key, or with the public one of a key that an agent holds. The signature is beside it,
/// with `.sig` behind its name.
///
/// # Errors
/// When there is no `ssh-keygen`, or the key is none.
pub(crate) fn sign(file: &Path, key: &Path) -> Result<(), Error> {
    let [file, key] = [file, key].map(|path| path.display().to_string());
    let sign = ["-Y", "sign", "-n", NAMESPACE, "-f", &key, &file];
    step::run(".", "ssh-keygen", &sign)
}

// What is signed for one purpose is worth nothing for another.
const NAMESPACE: &str = "session.so";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    use tempfile::TempDir;

    use super::*;
    use crate::{checksums, root};

    #[test]
    fn what_is_signed_passes_the_documented_check() {
        let dist = signed();

        assert_eq!(check(&dist), Ok(()));
    }

    #[test]
    fn any_byte_that_is_changed_fails_the_documented_check() {
        for file in [
            "gateway",
            "plugins/session.so",
            "SHA256SUMS",
            "SHA256SUMS.sig",
        ] {
            let dist = signed();
            let path = dist.path().join(file);
            let mut bytes = fs::read(&path).unwrap();
            // Of a signature, a byte in the middle of what is encoded.
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();

            assert!(check(&dist).is_err(), "{file}");
        }
    }

    #[test]
    fn the_signature_of_another_key_fails_the_documented_check() {
        let dist = signed();
        let other = key(&dist, "other");
        fs::remove_file(dist.path().join("SHA256SUMS.sig")).unwrap();

        sign(&dist.path().join("SHA256SUMS"), &other).unwrap();

        assert!(check(&dist).is_err());
    }

    /// A layout that is signed, and who may sign.
    fn signed() -> TempDir {
        let dist = tempfile::tempdir().unwrap();
        fs::create_dir(dist.path().join("plugins")).unwrap();
        fs::write(dist.path().join("gateway"), "program").unwrap();
        fs::write(dist.path().join("plugins/session.so"), "library").unwrap();
        let sums = checksums::write(dist.path()).unwrap();
        let key = key(&dist, "key");
        sign(&sums, &key).unwrap();
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        let line = format!("session.so namespaces=\"session.so\" {public}");
        fs::write(dist.path().join("allowed_signers"), line).unwrap();
        dist
    }

    fn key(directory: &TempDir, name: &str) -> PathBuf {
        let file = directory.path().join(name);
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]);
        assert!(keygen.arg(&file).status().unwrap().success());
        file
    }

    /// Types what the documentation says.
    fn check(dist: &TempDir) -> Result<(), String> {
        let document = fs::read_to_string(root().join("docs/operations.md")).unwrap();
        let typed = document.lines().filter_map(|line| line.strip_prefix("$ "));
        let typed: Vec<&str> = typed.filter(|line| line.contains("SHA256SUMS")).collect();
        assert_eq!(typed.len(), 2, "{typed:?}");
        for line in typed {
            let mut shell = Command::new("sh");
            let output = shell.args(["-c", line]).current_dir(dist).output().unwrap();
            if !output.status.success() {
                return Err(format!("{line}: {output:?}"));
            }
        }
        Ok(())
    }
}
