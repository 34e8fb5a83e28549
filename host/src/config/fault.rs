//! A fault together with the file it is in.

use std::fmt;
use std::sync::Arc;

use abi::config::Faults;

/// One thing that is wrong in one file: `file: path.to.key: what is wrong, and what is allowed`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The file name inside the configuration directory, or the directory itself.
    pub file: Arc<str>,
    /// The key and what is wrong with it.
    pub fault: abi::config::Fault,
}

/// Where a part of the configuration was written, for faults found in it later.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    /// The file name inside the configuration directory. Empty for what nobody wrote.
    pub file: Arc<str>,
    /// The dotted path inside the file.
    pub path: String,
}

// === impl Fault ===

impl Fault {
    /// Says what is wrong with a file as a whole.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Origin::of_file(file).fault("", message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.fault)
    }
}

impl std::error::Error for Fault {}

// === impl Origin ===

impl Origin {
    /// The top of a file.
    pub fn of_file(file: &str) -> Self {
        Self {
            file: file.into(),
            path: String::new(),
        }
    }

    /// A key further in.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.join(key)
    }

    /// An item further in.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        self.join(&format!("[{index}]"))
    }

    /// Says what is wrong with the key at `path` below here; an empty path means this very place.
    pub fn fault(&self, path: &str, message: impl Into<String>) -> Fault {
        let fault = abi::config::Fault::new(path, message).under(&self.path);
        Fault {
            file: Arc::clone(&self.file),
            fault,
        }
    }

    /// Places what a component found in its own configuration.
    pub fn faults(&self, faults: Faults) -> Vec<Fault> {
        let faults = faults.under(&self.path).into_iter();
        faults
            .map(|fault| Fault {
                file: Arc::clone(&self.file),
                fault,
            })
            .collect()
    }

    fn join(&self, segment: &str) -> Self {
        let path = abi::config::Fault::new(segment, "").under(&self.path).path;
        Self {
            file: Arc::clone(&self.file),
            path,
        }
    }
}
