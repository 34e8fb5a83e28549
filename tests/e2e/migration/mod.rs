//! The pages for people who come from elsewhere: each names every option of theirs, and its configuration is one.
//! Every option has tests that show what became of it.

mod options;

use std::fs;
use std::path::Path;

use e2e::{Verdict, plugins};

use self::options::{AUTHELIA, GOAUTH, Ours, Row, TURNA};

#[test]
fn every_option_of_the_others_is_named() {
    for (page, options) in PLUGINS {
        for option in options.split_whitespace() {
            assert!(
                row_of(page, option).is_some(),
                "docs/from-{page}.md has no row for {option}"
            );
        }
    }
}

#[test]
fn every_option_has_a_row_that_says_what_ours_is() {
    for (page, Row(option, ours, _)) in rows() {
        let row = row_of(page, option)
            .unwrap_or_else(|| panic!("docs/from-{page}.md has no row for {option}"));
        match ours {
            Ours::Keys(keys) => {
                for key in keys.split(' ') {
                    assert!(has_word(&row, key), "{page}, {option}: no {key} in {row}");
                }
            }
            Ours::Nothing(reason) => assert!(row.contains(reason), "{page}, {option}: {row}"),
        }
    }
}

#[test]
fn every_option_has_tests_and_they_name_ours() {
    let tests = Tests::gather();
    for (page, Row(option, ours, names)) in rows() {
        assert!(!names.is_empty(), "{page}, {option}: no test");
        let files: String = names
            .iter()
            .map(|name| {
                tests
                    .file_of(name)
                    .unwrap_or_else(|| panic!("{page}, {option}: no test `{name}`"))
            })
            .collect();
        let Ours::Keys(keys) = ours else {
            continue;
        };
        for key in keys.split(' ').filter(|key| *key != "xFile") {
            let is_named = has_word(&files, key) || has_word(&files, &in_snake_case(key));
            assert!(is_named, "{page}, {option}: no test of it names {key}");
        }
    }
}

#[test]
fn every_configuration_passes_the_check() {
    for page in ["turna", "seam", "goauth", "authelia", "fiber"] {
        let text = page_of(page);
        let blocks: Vec<_> = text.split("```yaml\n").skip(1).collect();
        assert!(!blocks.is_empty(), "{page}");
        for block in blocks {
            let (yaml, _) = block.split_once("```").unwrap();
            let session = plugins::session().display().to_string();
            let directory = tempfile::tempdir().unwrap();
            let yaml = yaml.replace("/plugins/session.so", &session);
            fs::write(directory.path().join("gateway.yaml"), yaml).unwrap();

            let verdict = Verdict::of("check", directory.path());

            assert!(verdict.success, "docs/from-{page}.md: {}", verdict.errors);
        }
    }
}

/// The options of those that have their tests by name, each with the page it is on.
fn rows() -> impl Iterator<Item = (&'static str, &'static Row)> {
    let tables = [("turna", TURNA), ("goauth", GOAUTH), ("authelia", AUTHELIA)];
    tables
        .into_iter()
        .flat_map(|(page, rows)| rows.iter().map(move |row| (page, row)))
}

/// The row of a page whose first cell names an option: as a whole, or by its last word beside others of its block.
fn row_of(page: &str, option: &str) -> Option<String> {
    let text = page_of(page);
    let rows = || text.lines().filter(|line| line.starts_with('|'));
    let first = |row: &str| row.split('|').nth(1).unwrap_or_default().to_owned();
    let (_, last) = option.rsplit_once('.').unwrap_or(("", option));
    let names = [
        format!("`{option}`"),
        format!(".{last}`"),
        format!("`{last}`"),
        format!(" {last}`"),
        format!(" {last} "),
    ];
    let mut found = names
        .iter()
        .filter_map(|name| rows().find(|row| first(row).contains(name)));
    found.next().map(str::to_owned)
}

fn page_of(system: &str) -> String {
    fs::read_to_string(plugins::root().join(format!("docs/from-{system}.md"))).unwrap()
}

/// The tests there are, each with the text of its file and that of its room.
struct Tests(Vec<(Vec<String>, String)>);

impl Tests {
    fn gather() -> Self {
        let mut tests = Self(Vec::new());
        for directory in ["tests/e2e", "plugin/engine/src"] {
            tests.gather_in(&plugins::root().join(directory));
        }
        tests
    }

    fn gather_in(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.gather_in(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                // What the tests of a room have in common is said there.
                let common = fs::read_to_string(directory.join("mod.rs")).unwrap_or_default();
                self.0.push((names_in(&text), text + &common));
            }
        }
    }

    fn file_of(&self, name: &str) -> Option<&str> {
        let mut files = self.0.iter();
        let found = files.find(|(names, _)| names.iter().any(|known| known == name));
        found.map(|(_, text)| text.as_str())
    }
}

/// The functions behind `#[test]` and `#[tokio::test]`.
fn names_in(text: &str) -> Vec<String> {
    let attributes = text.split("test]\n").skip(1);
    let names = attributes.filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
    names.map(|(name, _)| name.to_owned()).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    let is_joint = |letter: char| !letter.is_alphanumeric() && letter != '_';
    text.split(is_joint).any(|found| found == word)
}

/// As Rust writes it in tests of the plugin's own: `caFile` is `ca_file`.
fn in_snake_case(key: &str) -> String {
    let letters = key.chars().map(|letter| match letter.is_ascii_uppercase() {
        true => format!("_{}", letter.to_ascii_lowercase()),
        false => letter.to_string(),
    });
    letters.collect()
}

/// The options of the plugins whose keys are ours by name, or become calls.
const PLUGINS: [(&str, &str); 2] = [
    (
        "seam",
        "Storage KeyLookup CookieHTTPOnly CookieSecure CookieSameSite CookieSessionOnly CookieExpiration \
         DisableAutoRenew AutoRenewAfter DisableSessionForward Headers",
    ),
    (
        "fiber",
        "Expiration Storage KeyLookup CookieDomain CookiePath CookieSecure CookieHTTPOnly CookieSameSite \
         CookieSessionOnly KeyGenerator CookieName New RegisterType Store.Get Store.Reset Session.Get Set Delete Keys \
         Session.Destroy Regenerate Session.Save Session.Fresh ID Session.SetExpiry",
    ),
];
