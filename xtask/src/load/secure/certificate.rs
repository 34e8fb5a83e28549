//! What both sides show.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// A certificate of its own signer, for nobody in particular: the load generator asks for none.
pub(in crate::load) struct Certificate {
    pub(in crate::load) file: PathBuf,
    pub(in crate::load) key: PathBuf,
}

impl Certificate {
    /// Has one made, with a key on the curve P-256.
    ///
    /// # Errors
    /// When `openssl` makes none.
    pub(in crate::load) fn issue(directory: &Path) -> Result<Self, Error> {
        let (file, key) = (directory.join("tls.pem"), directory.join("tls.key"));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=bench"]);
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        openssl.arg("-keyout").arg(&key).arg("-out").arg(&file);
        let output = openssl.output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("openssl: {said}").into());
        }
        Ok(Self { file, key })
    }
}
