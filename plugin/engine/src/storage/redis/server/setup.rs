//! What a server is like.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::certificates::Certificates;
use super::process::CONFIGURATION;

/// How a test wants its server. Unless told otherwise it lets everybody in, keeps nothing on disk, and listens on its
/// unix socket alone.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    password: Option<String>,
    users: Vec<String>,
    listens: bool,
    certificates: Option<Certificates>,
    lines: Vec<String>,
}

impl Setup {
    /// Listens on a free port of 127.0.0.1 as well.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.listens = true;
        self
    }

    /// Listens on a free port that speaks nothing but TLS, with a certificate from `certificates`. A client may stay
    /// without one.
    #[must_use]
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        self.certificates = Some(certificates.clone());
        self.tcp().line("tls-auth-clients optional")
    }

    /// As [`tls`](Self::tls), for clients with a certificate from the same authority only.
    #[must_use]
    pub fn mutual_tls(self, certificates: &Certificates) -> Self {
        self.tls(certificates).line("tls-auth-clients yes")
    }

    /// Wants this password of the default user.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Knows one more user, by a line of an ACL file without its first word: `gateway on >secret ~session:* +get`.
    #[must_use]
    pub fn user(mut self, rule: &str) -> Self {
        self.users.push(rule.to_owned());
        self
    }

    /// Acknowledges a write when it is on disk, and has it again after a crash.
    #[must_use]
    pub fn append_only(self) -> Self {
        self.line("appendonly yes").line("appendfsync always")
    }

    /// Adds a line to `redis.conf`; a later one wins.
    #[must_use]
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    pub(super) const fn listens(&self) -> bool {
        self.listens
    }

    pub(super) const fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// What `storages.yaml` has to say beside the address.
    pub(super) fn credentials(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut settings = serde_json::Map::new();
        if let Some(password) = &self.password {
            settings.insert("password".into(), password.as_str().into());
        }
        if let Some(certificates) = &self.certificates {
            settings.insert("tls".into(), certificates.settings());
        }
        settings
    }

    /// Writes the files a server starts with.
    ///
    /// # Panics
    /// When the disk is full.
    pub(super) fn write(&self, directory: &Path, port: u16) {
        for (name, text) in [
            (CONFIGURATION, self.configuration(port)),
            ("users.acl", self.users()),
        ] {
            fs::write(directory.join(name), text).expect("a file for the server");
        }
    }

    fn configuration(&self, port: u16) -> String {
        let (plain, encrypted) = match self.certificates {
            Some(_) => (0, port),
            None => (port, 0),
        };
        let mut text = format!(
            "bind 127.0.0.1\nport {plain}\ntls-port {encrypted}\nunixsocket {SOCKET}\naclfile users.acl\n"
        );
        if let Some(certificates) = &self.certificates {
            text.push_str(&certificates.lines());
        }
        for line in &self.lines {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }

    fn users(&self) -> String {
        let credential = match &self.password {
            Some(password) => format!(">{password}"),
            None => "nopass".to_owned(),
        };
        let mut text = format!(
            "user default on {credential} ~* &* +@all\nuser {HARNESS} on >{HARNESS} ~* &* +@all\n"
        );
        for rule in &self.users {
            let _ = writeln!(text, "user {rule}");
        }
        text
    }
}

/// The name of every server's unix socket, in its directory.
pub(super) const SOCKET: &str = "redis.sock";
/// The user and password of tests, who may everything, and of servers among each other.
pub const HARNESS: &str = "harness";
