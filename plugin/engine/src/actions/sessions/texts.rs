//! What the page says, in any language.

use std::collections::BTreeMap;

use abi::config::Faults;

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

// The table in `docs/sessions-api.md` has the same rows.
texts! {
    title "title" "Your sessions";
    current "current" "This device";
    unknown "unknown" "Unknown device";
    address "address" "Address";
    seen "lastSeen" "Last used";
    begun "createdAt" "Signed in";
    ends "expiresAt" "Ends";
    end "end" "End session";
    sign_out "signOut" "Sign out";
    end_others "endOthers" "End all other sessions";
    ended "ended" "Sessions ended: {count}";
    all "all" "All sessions";
    newer "newer" "Newer sessions";
    older "older" "Older sessions";
    stranger "stranger" "You are not signed in.";
}

impl Texts {
    /// Puts these in place of those that are there.
    ///
    /// # Errors
    /// For each name that no text has, under the name.
    pub(super) fn replace(&mut self, messages: &BTreeMap<String, String>) -> Result<(), Faults> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_can_be_replaced_and_is_documented() {
        let document = include_str!("../../../../../docs/sessions-api.md");
        for name in NAMES {
            let mut texts = Texts::usual();

            texts
                .replace(&BTreeMap::from([((*name).to_owned(), "neu".to_owned())]))
                .unwrap();

            assert!(format!("{texts:?}").contains("\"neu\""), "{name}");
            assert!(document.contains(&format!("| `{name}` |")), "{name}");
        }
    }

    #[test]
    fn unknown_name_is_a_fault() {
        let messages = BTreeMap::from([("titel".to_owned(), String::new())]);

        let faults = Texts::usual().replace(&messages).unwrap_err();

        assert!(
            faults
                .to_string()
                .starts_with("titel: no text has this name; known are title, current")
        );
    }
}
