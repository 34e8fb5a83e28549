//! What is wrong with a configuration, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that is wrong.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fault {
    /// The dotted path of the key, as the user would look for it: `highAvailability.nodes[1].port`. Empty for the
    /// configuration as a whole.
    pub path: String,
    /// What is wrong and what is allowed, lower case, one line, never with the value of a secret.
    pub message: String,
}

/// Everything that is wrong: what a component's constructor answers about its own configuration.
///
/// Collected before it is returned, because a user who fixes one key at a time starts the gateway ten times.
///
/// ```
/// use abi::config::Faults;
///
/// fn check(same_site: &str, secure: bool) -> Result<(), Faults> {
///     let mut faults = Faults::default();
///     if same_site == "None" && !secure {
///         faults.push("cookieSameSite", "`None` needs cookieSecure: true");
///     }
///     faults.or(())
/// }
///
/// let faults = check("None", false).unwrap_err();
/// assert_eq!(faults.to_string(), "cookieSameSite: `None` needs cookieSecure: true");
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

// === impl Fault ===

impl Fault {
    /// Says what is wrong with the key at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }

    /// The same fault seen from further out: `port` under `storages.Valkey.config` is
    /// `storages.Valkey.config.port`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.path = match (prefix, self.path.as_str()) {
            ("", _) => self.path,
            (_, "") => prefix.to_owned(),
            (_, path) if path.starts_with('[') => format!("{prefix}{path}"),
            (_, path) => format!("{prefix}.{path}"),
        };
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

// === impl Faults ===

impl Faults {
    /// A single fault, for the constructor that can only fail in one way.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![Fault::new(path, message)])
    }

    /// Adds what is wrong with the key at `path`.
    pub fn push(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault::new(path, message));
    }

    /// The value of a part that was checked by itself; else what is wrong with it is added to the rest.
    pub fn absorb<T>(&mut self, checked: Result<T, Self>) -> Option<T> {
        checked.map_err(|found| self.extend(found)).ok()
    }

    /// The value, if nothing was found.
    ///
    /// # Errors
    /// With everything that was found.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// The same faults seen from further out.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        self.into_iter().map(|fault| fault.under(prefix)).collect()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    /// One line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl Extend<Fault> for Faults {
    fn extend<I: IntoIterator<Item = Fault>>(&mut self, faults: I) {
        self.0.extend(faults);
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        Self(faults.into_iter().collect())
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_grows_from_the_inside_out() {
        let under = |path| {
            Fault::new(path, "is wrong")
                .under("storages.Valkey.config")
                .to_string()
        };

        assert_eq!(
            under("nodes[1].port"),
            "storages.Valkey.config.nodes[1].port: is wrong"
        );
        assert_eq!(under("[1]"), "storages.Valkey.config[1]: is wrong");
        assert_eq!(under(""), "storages.Valkey.config: is wrong");
        assert_eq!(
            Fault::new("a", "is wrong").under("").to_string(),
            "a: is wrong"
        );
    }

    #[test]
    fn faults_survive_the_boundary_as_json() {
        let mut faults = Faults::at("port", "is 0");
        faults.push("host", "is missing");

        let json = serde_json::to_string(&faults).unwrap();
        let back: Faults = serde_json::from_str(&json).unwrap();

        assert_eq!(back, faults);
        assert_eq!(back.to_string(), "port: is 0\nhost: is missing");
    }

    #[test]
    fn faults_of_parts_are_collected_and_right_parts_are_values() {
        let mut faults = Faults::at("port", "is 0");

        assert_eq!(faults.absorb(Ok(7)), Some(7));
        assert_eq!(
            faults.absorb::<u8>(Err(Faults::at("host", "is missing"))),
            None
        );
        assert_eq!(faults.to_string(), "port: is 0\nhost: is missing");
    }

    #[test]
    fn nothing_found_is_no_error() {
        assert_eq!(Faults::default().or(7), Ok(7));
    }
}
