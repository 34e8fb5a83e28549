//! The YAML files of a directory as one tree of values. The only file that knows YAML.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Number, Value};

use super::expand::{Environment, expand};
use super::fault::{Fault, Origin};

/// What all files say, by top-level key.
#[derive(Debug, Default)]
pub(super) struct Documents {
    sections: BTreeMap<String, Section>,
    /// Whether a file could not be read, so that any other section may be in it.
    has_gap: bool,
    /// The keys that are there twice, of which one was kept.
    ambiguous: BTreeSet<String>,
}

/// The value of one top-level key and where it was written. `Debug` is left out: values hold secrets.
pub(super) struct Section {
    pub(super) origin: Origin,
    pub(super) value: Value,
    /// That of its key in the file, where it can be told.
    line: Option<usize>,
}

/// A file by its top-level keys.
struct Document {
    entries: Map<String, Value>,
    lines: Vec<(String, usize)>,
}

impl Documents {
    /// Reads every `*.yaml` of `dir` in name order, but for hidden ones: editors keep locks and copies in those. What can be
    /// read is there beside the faults of what cannot. A `*.yml` is one of the latter: whoever has put it there means it.
    ///
    /// # Errors
    /// When there is no file at all.
    pub(super) fn read(
        dir: &Path,
        environment: Environment<'_>,
    ) -> Result<(Self, Vec<Fault>), Fault> {
        let mut documents = Self::default();
        let mut faults = Vec::new();
        for file in files(dir)? {
            let read = match file.strip_suffix(".yml") {
                Some(name) => Err(Fault::of_file(
                    &file,
                    format!("is not read, only *.yaml is: expected `{name}.yaml`"),
                )),
                None => document(dir, &file),
            };
            match read {
                Ok(document) => documents.merge(&file, document, environment, &mut faults),
                Err(fault) => {
                    documents.has_gap = true;
                    faults.push(fault);
                }
            }
        }
        Ok((documents, faults))
    }

    /// Whether all that is written about a section is known. If not, a name that is not in it may still be right.
    pub(super) fn is_complete(&self, key: &str) -> bool {
        let is_missing = self.has_gap && !self.sections.contains_key(key);
        !is_missing && !self.ambiguous.contains(key)
    }

    /// Takes a section out; `None` when no file has it.
    pub(super) fn take(&mut self, key: &str) -> Option<Section> {
        self.sections.remove(key)
    }

    /// Whether any file has a section.
    pub(super) fn has(&self, key: &str) -> bool {
        self.sections.contains_key(key)
    }

    /// The names declared in a section that is a map.
    pub(super) fn names(&self, key: &str) -> Vec<String> {
        let entries = self
            .sections
            .get(key)
            .and_then(|section| section.value.as_object());
        entries
            .into_iter()
            .flat_map(|entries| entries.keys().cloned())
            .collect()
    }

    /// The sections that nobody took.
    pub(super) fn rest(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.sections
            .iter()
            .map(|(key, section)| (key.as_str(), &section.origin))
    }

    fn merge(
        &mut self,
        file: &str,
        document: Document,
        environment: Environment<'_>,
        faults: &mut Vec<Fault>,
    ) {
        for (key, mut value) in document.entries {
            let origin = Origin::of_file(file).key(&key);
            let mut lines = document.lines.iter();
            let line = lines.find(|(known, _)| *known == key);
            let line = line.map(|(_, line)| *line);
            let section = |value| Section {
                origin: origin.clone(),
                value,
                line,
            };
            faults.extend(origin.faults(expand(&mut value, environment)));
            if let Some(first) = self.sections.get(&key) {
                let here = line.map_or_else(String::new, |line| format!("in line {line}, "));
                let there = first.place();
                faults.push(origin.fault("", format!("{here}already defined in {there}")));
                self.ambiguous.insert(key);
            } else if !value.is_null() {
                self.sections.insert(key, section(value));
            }
        }
    }
}

impl Section {
    fn place(&self) -> String {
        let file = &self.origin.file;
        self.line
            .map_or_else(|| file.to_string(), |line| format!("line {line} of {file}"))
    }
}

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Section")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

fn files(dir: &Path) -> Result<Vec<String>, Fault> {
    let shown = dir.display().to_string();
    let unreadable = |error| Fault::of_file(&shown, format!("cannot be read: {error}"));
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        // A name that is not UTF-8 cannot be shown in a fault; nobody names a configuration file so.
        names.extend(
            name.into_string()
                .ok()
                .filter(|name| is_yaml(name) && !name.starts_with('.')),
        );
    }
    if names.is_empty() {
        return Err(Fault::of_file(
            &shown,
            "there is no *.yaml file in this directory",
        ));
    }
    names.sort_unstable();
    Ok(names)
}

fn is_yaml(name: &str) -> bool {
    [".yaml", ".yml"].iter().any(|end| name.ends_with(end))
}

fn document(dir: &Path, file: &str) -> Result<Document, Fault> {
    let text = fs::read_to_string(dir.join(file))
        .map_err(|error| Fault::of_file(file, format!("cannot be read: {error}")))?;
    // Editors of Windows put a byte order mark first; YAML 1.2 (5.2) allows it, and the parser takes the second key
    // for another document, being further left than the first.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = keys(text);
    let yaml: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| {
        let twice = twice(&lines, file, &error.to_string());
        twice.unwrap_or_else(|| Fault::of_file(file, error.to_string()))
    })?;
    let entries = match json(yaml, &Origin::of_file(file))? {
        Value::Object(entries) => entries,
        Value::Null => Map::new(),
        _ => {
            return Err(Fault::of_file(
                file,
                "expected keys such as `routes:` at the top level",
            ));
        }
    };
    Ok(Document { entries, lines })
}

/// The keys that begin a line, with the number of the line from 1. Good enough for messages: in flow style, values may
/// look like them.
fn keys(text: &str) -> Vec<(String, usize)> {
    let lines = text.lines().zip(1..);
    let keys = lines.filter_map(|(line, number)| {
        let (key, rest) = line.split_once(':')?;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let is_key = rest.is_empty() || rest.starts_with([' ', '\t']);
        let is_key = is_key && !key.is_empty() && key.bytes().all(is_word);
        is_key.then(|| (key.to_owned(), number))
    });
    keys.collect()
}

/// The parser says where the map begins that has a key twice, and that is the file.
fn twice(lines: &[(String, usize)], file: &str, error: &str) -> Option<Fault> {
    let key = error.strip_prefix("duplicate entry with key \"")?;
    let (key, _) = key.split_once('"')?;
    let same: Vec<_> = lines.iter().filter(|(known, _)| known == key).collect();
    let [(_, first), (_, second), ..] = same.as_slice() else {
        return None;
    };
    let message = format!("defined twice, in line {first} and in line {second}");
    Some(Origin::of_file(file).key(key).fault("", message))
}

fn json(yaml: serde_yaml::Value, origin: &Origin) -> Result<Value, Fault> {
    Ok(match yaml {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(value) => Value::Bool(value),
        serde_yaml::Value::String(text) => Value::String(text),
        serde_yaml::Value::Number(number) => Value::Number(json_number(&number, origin)?),
        serde_yaml::Value::Sequence(items) => {
            let items = items.into_iter().enumerate();
            items
                .map(|(index, item)| json(item, &origin.item(index)))
                .collect::<Result<_, _>>()?
        }
        serde_yaml::Value::Mapping(entries) => entries
            .into_iter()
            .map(|(key, value)| {
                let key = text_key(key, origin)?;
                let value = json(value, &origin.key(&key))?;
                Ok((key, value))
            })
            .collect::<Result<_, _>>()?,
        serde_yaml::Value::Tagged(tagged) => {
            return Err(origin.fault("", format!("the tag `{}` means nothing here", tagged.tag)));
        }
    })
}

fn json_number(number: &serde_yaml::Number, origin: &Origin) -> Result<Number, Fault> {
    let exact = number
        .as_u64()
        .map(Number::from)
        .or_else(|| number.as_i64().map(Number::from));
    exact
        .or_else(|| Number::from_f64(number.as_f64()?))
        .ok_or_else(|| origin.fault("", format!("`{number}` is not a finite number")))
}

fn text_key(key: serde_yaml::Value, origin: &Origin) -> Result<String, Fault> {
    match key {
        serde_yaml::Value::String(key) => Ok(key),
        serde_yaml::Value::Bool(key) => Err(origin.fault("", not_text(&key))),
        serde_yaml::Value::Number(key) => Err(origin.fault("", not_text(&key))),
        _ => Err(origin.fault("", "a key must be a text")),
    }
}

fn not_text(key: &dyn std::fmt::Display) -> String {
    format!("the key `{key}` must be a text; put it in quotes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_merged_by_top_level_key() {
        let dir = files(&[
            ("a.yaml", "server:\n  threads: 2\n"),
            ("b.yaml", "routes: []\n"),
        ]);

        let (mut documents, faults) = Documents::read(dir.path(), &|_| None).unwrap();

        assert_eq!(
            documents.take("server").unwrap().value,
            serde_json::json!({ "threads": 2 })
        );
        assert_eq!(&*documents.take("routes").unwrap().origin.file, "b.yaml");
        assert!(documents.take("plugins").is_none());
        assert_eq!(faults, []);
    }

    #[test]
    fn a_key_in_two_files_names_both() {
        let dir = files(&[
            ("a.yaml", "server: {}\n\nroutes: []\n"),
            ("b.yaml", "# mine\nroutes: []\n"),
        ]);

        let expected = ["b.yaml: routes: in line 2, already defined in line 3 of a.yaml"];
        assert_eq!(faults(&dir), expected);
    }

    #[test]
    fn a_key_twice_in_one_file_has_its_line() {
        let dir = files(&[("a.yaml", "server:\n  threads: 1\n  threads: 2\n")]);

        let expected = "a.yaml: server: duplicate entry with key \"threads\" at line 2 column 3";
        assert_eq!(faults(&dir), [expected]);
    }

    #[test]
    fn a_section_twice_in_one_file_has_both_lines() {
        let dir = files(&[(
            "a.yaml",
            "routes: []\nserver:\n  threads: 1\nroutes:\n- {}\n",
        )]);

        let expected = ["a.yaml: routes: defined twice, in line 1 and in line 4"];
        assert_eq!(faults(&dir), expected);
    }

    #[test]
    fn all_files_are_read_before_anything_is_reported() {
        let dir = files(&[
            ("1.yaml", "a: [\n"),
            ("2.yaml", "--- {}\n--- {}\n"),
            ("3.yaml", "- routes\n"),
            ("4.yaml", "server: { 80: x }\n"),
            ("5.yaml", "server: { rate: .inf }\n"),
            ("6.yaml", "server: { rate: !tag 1 }\n"),
            ("7.yaml", "server: { address: '${NOPE}' }\n"),
            ("8.yaml", "# nothing yet\n"),
        ]);

        let expected = [
            "1.yaml: did not find expected node content at line 2 column 1, while parsing a flow node",
            "2.yaml: deserializing from YAML containing more than one document is not supported",
            "3.yaml: expected keys such as `routes:` at the top level",
            "4.yaml: server: the key `80` must be a text; put it in quotes",
            "5.yaml: server.rate: `.inf` is not a finite number",
            "6.yaml: server.rate: the tag `!tag` means nothing here",
            "7.yaml: server.address: environment variable `NOPE` is not set",
        ];
        assert_eq!(faults(&dir), expected);
    }

    #[test]
    fn a_file_with_the_other_ending_is_not_passed_over() {
        let dir = files(&[
            ("routes.yaml", "routes: []\n"),
            ("server.yml", "server: {}\n"),
        ]);

        let expected = "server.yml: is not read, only *.yaml is: expected `server.yaml`";
        assert_eq!(faults(&dir), [expected]);
    }

    #[test]
    fn a_byte_order_mark_is_no_document() {
        let dir = files(&[("a.yaml", "\u{feff}routes: []\r\nserver: {}\r\n")]);

        let (documents, faults) = Documents::read(dir.path(), &|_| None).unwrap();

        assert_eq!(faults, []);
        assert!(documents.has("routes"));
    }

    #[test]
    fn a_directory_without_files_is_a_fault() {
        let dir = files(&[("notes.txt", "")]);

        let expected = format!(
            "{}: there is no *.yaml file in this directory",
            dir.path().display()
        );
        let fault = Documents::read(dir.path(), &|_| None).unwrap_err();
        assert_eq!(fault.to_string(), expected);
    }

    #[test]
    fn a_file_that_is_hidden_is_not_read() {
        let dir = files(&[
            ("a.yaml", "routes: []\n"),
            (".a.yaml", "routes: []\n"),
            (".#a.yaml", "anna@host\n"),
        ]);

        assert_eq!(faults(&dir), [""; 0]);
    }

    #[test]
    fn a_missing_directory_is_a_fault() {
        let error = Documents::read(Path::new("/nonexistent"), &|_| None).unwrap_err();

        assert!(
            error
                .to_string()
                .starts_with("/nonexistent: cannot be read: No such file")
        );
    }

    fn files(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    fn faults(dir: &tempfile::TempDir) -> Vec<String> {
        let (_, faults) = Documents::read(dir.path(), &|_| None).unwrap();
        faults.iter().map(ToString::to_string).collect()
    }
}
