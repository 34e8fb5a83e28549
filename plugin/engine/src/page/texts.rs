//! What pages say, in any language. The only file of the plugin that reads YAML.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use abi::config::{ConfigPath, Faults};

/// Texts by name, in place of the usual ones.
pub type Messages = BTreeMap<String, String>;

/// All texts of a page.
pub trait PageTexts: Sized {
    /// What they are called.
    const NAMES: &'static [&'static str];

    /// The usual ones, in English.
    fn usual() -> Self;

    /// The text of this name.
    fn named(&mut self, name: &str) -> Option<&mut String>;

    /// The usual ones with those of an operator in their place: of `messagesFile`, and of `messages`, which count more.
    ///
    /// # Errors
    /// All faults of both, under these keys.
    fn configured(file: Option<&ConfigPath>, messages: &Messages) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut texts = Self::usual();
        if let Some(file) = file {
            let at = |message| Faults::at(FILE, format!("`{}`: {message}", file.display()));
            let replaced = read(file)
                .map_err(|error| at(error.to_string()))
                .and_then(|read| texts.replace(&read).map_err(|found| at(found.to_string())));
            faults.absorb(replaced);
        }
        let replaced = texts.replace(messages);
        faults.absorb(replaced.map_err(|found| found.under("messages")));
        faults.or(texts)
    }

    /// Puts these in place of those that are there.
    ///
    /// # Errors
    /// For each name that no text has, under the name.
    fn replace(&mut self, messages: &Messages) -> Result<(), Faults> {
        let mut faults = Faults::default();
        for (name, text) in messages {
            match self.named(name) {
                Some(known) => known.clone_from(text),
                None => faults.push(
                    name.clone(),
                    format!(
                        "no text has this name; known are {}",
                        Self::NAMES.join(", ")
                    ),
                ),
            }
        }
        faults.or(())
    }
}

/// Makes the texts of a page: for each a field, its name for operators, and the usual text.
macro_rules! texts {
    ($($field:ident $name:literal $usual:literal;)*) => {
        /// Every text.
        #[derive(Clone, Debug)]
        pub(super) struct Texts {
            $(pub(super) $field: String,)*
        }

        impl $crate::page::PageTexts for Texts {
            const NAMES: &'static [&'static str] = &[$($name,)*];

            fn usual() -> Self {
                Self { $($field: $usual.to_owned(),)* }
            }

            fn named(&mut self, name: &str) -> Option<&mut String> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use texts;

/// Why a file has no texts.
#[derive(Debug, thiserror::Error)]
enum MessagesError {
    #[error(transparent)]
    Read(#[from] std::io::Error),
    #[error("{0}; expected a name and a text in each line, `title: Anmelden`")]
    Form(#[from] serde_yaml::Error),
}

/// Reads a file of YAML, and so of JSON.
fn read(file: &Path) -> Result<Messages, MessagesError> {
    Ok(serde_yaml::from_str(&fs::read_to_string(file)?)?)
}

const FILE: &str = "messagesFile";

#[cfg(test)]
mod tests {
    use super::*;

    texts! {
        title "title" "Title";
        end "end" "The end";
    }

    #[test]
    fn texts_in_place_count_more_than_those_of_the_file_and_those_more_than_the_usual() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("de.yaml");
        fs::write(&file, "title: Titel\nend: Ende\n").unwrap();
        let file = ConfigPath::new(file);
        let messages = Messages::from([("end".to_owned(), "Schluss".to_owned())]);
        let shown = |texts: Texts| [texts.title, texts.end];

        let both = Texts::configured(Some(&file), &messages).unwrap();
        let in_place = Texts::configured(None, &messages).unwrap();

        assert_eq!(shown(both), ["Titel", "Schluss"]);
        assert_eq!(shown(in_place), ["Title", "Schluss"]);
    }

    #[test]
    fn name_that_no_text_has_is_a_fault_wherever_it_stands() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("de.json");
        fs::write(&file, r#"{ "titel": "" }"#).unwrap();
        let messages = Messages::from([("ende".to_owned(), String::new())]);

        let faults = Texts::configured(Some(&ConfigPath::new(file)), &messages).unwrap_err();

        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["messagesFile", "messages.ende"]);
        let told = faults.to_string();
        assert!(
            told.contains("titel: no text has this name; known are title, end"),
            "{told}"
        );
    }

    #[test]
    fn file_that_is_none_is_a_fault() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("list.yaml");
        fs::write(&file, "- a\n- b\n").unwrap();
        for file in [file, directory.path().join("nothing.yaml")] {
            let faults =
                Texts::configured(Some(&ConfigPath::new(file)), &Messages::new()).unwrap_err();

            let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
            assert_eq!(paths, ["messagesFile"]);
        }
    }
}
