//! What the login page says, in any language. The only file of the plugin that reads YAML.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use abi::config::Faults;

/// Texts by name, in place of the usual ones.
pub(super) type Messages = BTreeMap<String, String>;

/// Why a file has no texts.
#[derive(Debug, thiserror::Error)]
pub(super) enum MessagesError {
    #[error(transparent)]
    Read(#[from] std::io::Error),
    #[error("{0}; expected a name and a text in each line, `title: Anmelden`")]
    Form(#[from] serde_yaml::Error),
}

/// Reads a file of YAML, and so of JSON.
pub(super) fn read(file: &Path) -> Result<Messages, MessagesError> {
    Ok(serde_yaml::from_str(&fs::read_to_string(file)?)?)
}

macro_rules! texts {
    ($($field:ident $name:literal $usual:literal;)*) => {
        /// Every text.
        #[derive(Clone, Debug)]
        pub(super) struct Texts {
            $(pub(super) $field: String,)*
        }

        impl Texts {
            /// The usual ones, in English.
            pub(super) fn usual() -> Self {
                Self { $($field: $usual.to_owned(),)* }
            }

            fn named(&mut self, name: &str) -> Option<&mut String> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }

        const NAMES: &[&str] = &[$($name,)*];
    };
}

// The table in `docs/login.md` has the same rows.
texts! {
    title "title" "Sign in";
    username "username" "User name";
    password "password" "Password";
    remember_me "rememberMe" "Stay signed in on this device";
    submit "submit" "Sign in";
    or "or" "or";
    continue_with "continueWith" "Continue with {provider}";
    signed_in_as "signedInAs" "You are signed in as {user}.";
    proceed "continue" "Continue";
    problem "error" "Error";
    credentials "credentials" "The user name or the password is wrong.";
    throttled "throttled" "Too many attempts. Try again in {seconds} s.";
    busy "busy" "Too many people are signing in right now. Try again in a moment.";
    unavailable "unavailable" "Signing in is not possible at the moment. Try again later.";
    refused "refused" "Signing in was cancelled or refused.";
    expired "expired" "That took too long, or was begun in another browser. Please sign in again.";
}

impl Texts {
    /// Puts these in place of those that are there.
    ///
    /// # Errors
    /// For each name that no text has, under the name.
    pub(super) fn replace(&mut self, messages: &Messages) -> Result<(), Faults> {
        let mut faults = Faults::default();
        for (name, text) in messages {
            match self.named(name) {
                Some(known) => known.clone_from(text),
                None => faults.push(
                    name.clone(),
                    format!("no text has this name; known are {}", NAMES.join(", ")),
                ),
            }
        }
        faults.or(())
    }
}
