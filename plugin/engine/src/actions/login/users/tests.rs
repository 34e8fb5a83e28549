use std::cell::RefCell;
use std::fs;

use abi::config::ConfigPath;
use tempfile::TempDir;

use super::*;

/// Of `correct horse`, as cheap as can be.
pub(in super::super) const ARGON2ID: &str = "$argon2id$v=19$m=64,t=1,p=1$3tqhBs1oaOYtz9QUU+47pA$07SbOw33xiwA5WFudYQzD1i/yNfXxSZHMmS47L6Xeyk";
/// Of `correct horse`, as cheap as can be.
pub(in super::super) const BCRYPT: &str =
    "$2y$04$PV.k9kMDGkZflJ9HXkfWn.7DGy5zj7sLHbPct5koL5js4p.5RdkHC";

#[test]
fn user_of_the_file_has_the_password_of_the_file() {
    let file = Scene::new(&format!(
        "# people\n\nanna:{ARGON2ID}\n  bob:{BCRYPT}  \r\n"
    ));

    assert!(file.admits("anna", "correct horse"));
    assert!(file.admits("bob", "correct horse"));
    for (name, password) in [
        ("anna", "wrong"),
        ("anna", ""),
        ("Anna", "correct horse"),
        ("carol", "correct horse"),
        ("", "correct horse"),
        ("# people", "correct horse"),
    ] {
        assert!(!file.admits(name, password), "{name}");
    }
}

#[test]
fn stranger_costs_what_users_cost() {
    let file = Scene::new(&format!("anna:{ARGON2ID}\nbob:{BCRYPT}"));
    let users = file.open().users();
    let tried = RefCell::new(Vec::new());
    let try_hash = |hash: &hash::PasswordHash| {
        tried.borrow_mut().push(format!("{hash:?}"));
        hash.verify("correct horse")
    };

    assert!(users.check("anna", try_hash));
    assert!(users.check("bob", try_hash));
    for number in 0..64 {
        let name = format!("stranger-{number}");
        assert!(!users.check(&name, try_hash));
        // The same name costs the same, however often it is asked for.
        assert!(!users.check(&name, try_hash));
    }

    let tried = tried.into_inner();
    assert_eq!(tried.len(), 2 + 2 * 64, "one hash each, whoever it is");
    assert!(tried[2..].chunks(2).all(|pair| pair[0] == pair[1]));
    assert!(tried[2..].contains(&"Argon2id(..)".to_owned()));
    assert!(tried[2..].contains(&"Bcrypt(..)".to_owned()));
}

#[test]
fn file_that_changes_is_read_again() {
    let scene = Scene::new(&format!("anna:{ARGON2ID}"));
    let file = scene.open();
    assert_eq!(file.users().len(), 1);

    scene.write(&format!("anna:{ARGON2ID}\nbob:{BCRYPT}"));

    assert!(
        file.users()
            .check("bob", |hash| hash.verify("correct horse"))
    );
}

#[test]
fn file_that_is_replaced_by_another_of_the_same_length_is_read_again() {
    let scene = Scene::new(&format!("anna:{BCRYPT}"));
    let file = scene.open();
    let other = scene.directory.path().join("users.new");
    fs::write(&other, format!("emma:{BCRYPT}")).unwrap();

    fs::rename(other, scene.path()).unwrap();

    assert!(
        file.users()
            .check("emma", |hash| hash.verify("correct horse"))
    );
}

#[test]
fn file_that_goes_wrong_or_goes_away_locks_nobody_out() {
    let scene = Scene::new(&format!("anna:{BCRYPT}"));
    let file = scene.open();

    scene.write("anna:secret");
    assert_eq!(file.users().len(), 1);
    fs::remove_file(scene.path()).unwrap();
    assert_eq!(file.users().len(), 1);
    scene.write(&format!("anna:{BCRYPT}\nbob:{BCRYPT}"));

    assert_eq!(file.users().len(), 2);
}

#[test]
fn every_line_that_is_wrong_is_named_and_none_is_shown() {
    let scene = Scene::new(&format!(
        "anna:{BCRYPT}\nno colon\n\n:{BCRYPT}\nbob:{{SHA}}abc\nanna:{ARGON2ID}\ncarol:$2y$04$short"
    ));

    let faults = UsersFile::open(&scene.config()).unwrap_err().to_string();

    let path = scene.path().display().to_string();
    let faults = faults.replace(&format!("usersFile: `{path}`: "), "");
    assert_eq!(
        faults.lines().collect::<Vec<_>>(),
        [
            "line 2: expected `name:hash`",
            "line 4: expected `name:hash`",
            "line 5: expected an argon2id or bcrypt hash, as `htpasswd -nB <name>` or `argon2 <salt> -id -e` make them",
            "line 6: the same name as in line 1",
            "line 7: not a complete bcrypt hash",
        ]
    );
}

#[test]
fn file_that_is_not_there_is_a_fault() {
    let missing = ConfigPath::new("/nonexistent/users");

    let faults = UsersFile::open(&missing).unwrap_err().to_string();

    assert!(
        faults.starts_with("usersFile: `/nonexistent/users`: No such file"),
        "{faults}"
    );
}

#[test]
fn nobody_is_admitted_by_an_empty_file() {
    let users = Scene::new("# nobody yet\n").open().users();

    assert!(!users.check("anna", |_| true));
}

struct Scene {
    directory: TempDir,
}

impl Scene {
    fn new(text: &str) -> Self {
        let scene = Self {
            directory: TempDir::new().unwrap(),
        };
        scene.write(text);
        scene
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("users")
    }

    fn config(&self) -> ConfigPath {
        ConfigPath::new(self.path())
    }

    fn open(&self) -> UsersFile {
        UsersFile::open(&self.config()).unwrap()
    }

    fn admits(&self, name: &str, password: &str) -> bool {
        self.open()
            .users()
            .check(name, |hash| hash.verify(password))
    }
}
