//! The YAML files of a directory as one tree of values. The only file that knows YAML.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Number, Value};

use super::expand::{Environment, expand};
use super::fault::{Fault, Origin};

/// What all files say, by top-level key.
#[derive(Debug, Default)]
pub(super) struct Documents {
    sections: BTreeMap<String, Section>,
}

/// The value of one top-level key and where it was written. `Debug` is left out: values hold secrets.
pub(super) struct Section {
    pub(super) origin: Origin,
    pub(super) value: Value,
}

impl Documents {
    /// Reads every `*.yaml` of `dir` in name order, but for hidden ones: editors keep locks and copies in those.
    ///
    /// # Errors
    /// With a fault for everything that cannot be read, in all files.
    pub(super) fn read(dir: &Path, environment: Environment<'_>) -> Result<Self, Vec<Fault>> {
        let mut documents = Self::default();
        let mut faults = Vec::new();
        for file in files(dir).map_err(|fault| vec![fault])? {
            match document(dir, &file) {
                Ok(entries) => documents.merge(&file, entries, environment, &mut faults),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(documents)
        } else {
            Err(faults)
        }
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
        entries: Map<String, Value>,
        environment: Environment<'_>,
        faults: &mut Vec<Fault>,
    ) {
        for (key, mut value) in entries {
            let origin = Origin::of_file(file).key(&key);
            faults.extend(origin.faults(expand(&mut value, environment)));
            if let Some(first) = self.sections.get(&key) {
                let elsewhere = format!("already defined in {}", first.origin.file);
                faults.push(origin.fault("", elsewhere));
            } else if !value.is_null() {
                self.sections.insert(key, Section { origin, value });
            }
        }
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
                .filter(|name| name.ends_with(".yaml") && !name.starts_with('.')),
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

fn document(dir: &Path, file: &str) -> Result<Map<String, Value>, Fault> {
    let text = fs::read_to_string(dir.join(file))
        .map_err(|error| Fault::of_file(file, format!("cannot be read: {error}")))?;
    let yaml: serde_yaml::Value =
        serde_yaml::from_str(&text).map_err(|error| Fault::of_file(file, error.to_string()))?;
    match json(yaml, &Origin::of_file(file))? {
        Value::Object(entries) => Ok(entries),
        Value::Null => Ok(Map::new()),
        _ => Err(Fault::of_file(
            file,
            "expected keys such as `routes:` at the top level",
        )),
    }
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

        let mut documents = Documents::read(dir.path(), &|_| None).unwrap();

        assert_eq!(
            documents.take("server").unwrap().value,
            serde_json::json!({ "threads": 2 })
        );
        assert_eq!(&*documents.take("routes").unwrap().origin.file, "b.yaml");
        assert!(documents.take("plugins").is_none());
    }

    #[test]
    fn a_key_in_two_files_names_both() {
        let dir = files(&[("a.yaml", "routes: []\n"), ("b.yaml", "routes: []\n")]);

        assert_eq!(faults(&dir), ["b.yaml: routes: already defined in a.yaml"]);
    }

    #[test]
    fn a_key_twice_in_one_file_has_its_line() {
        let dir = files(&[("a.yaml", "server:\n  threads: 1\n  threads: 2\n")]);

        let expected = "a.yaml: server: duplicate entry with key \"threads\" at line 2 column 3";
        assert_eq!(faults(&dir), [expected]);
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
    fn a_directory_without_files_is_a_fault() {
        let dir = files(&[("notes.txt", "")]);

        let expected = format!(
            "{}: there is no *.yaml file in this directory",
            dir.path().display()
        );
        assert_eq!(faults(&dir), [expected]);
    }

    #[test]
    fn a_file_that_is_hidden_is_not_read() {
        let dir = files(&[
            ("a.yaml", "routes: []\n"),
            (".a.yaml", "routes: []\n"),
            (".#a.yaml", "anna@host\n"),
        ]);

        assert!(Documents::read(dir.path(), &|_| None).is_ok());
    }

    #[test]
    fn a_missing_directory_is_a_fault() {
        let error = Documents::read(Path::new("/nonexistent"), &|_| None).unwrap_err();

        assert!(
            error[0]
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
        let faults = Documents::read(dir.path(), &|_| None).unwrap_err();
        faults.iter().map(ToString::to_string).collect()
    }
}
