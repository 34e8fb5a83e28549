//! The gateway as users run it: a process, a directory of YAML and a log.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::log::Log;
use crate::{Browser, Site, plugins};

/// A gateway that listens. Ends with the test; if that fails, configuration and log are printed.
#[derive(Debug)]
pub struct Gateway {
    process: Child,
    directory: TempDir,
    log: Log,
    address: SocketAddr,
}

/// What came of a command that ends by itself.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whether the exit status was 0.
    pub success: bool,
    /// The exit status; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Standard error: faults and log lines.
    pub errors: String,
}

impl Gateway {
    /// Runs on a directory of configuration files.
    ///
    /// # Panics
    /// When it does not start to listen.
    #[track_caller]
    pub fn run(directory: TempDir) -> Self {
        Self::run_in(directory, &[])
    }

    /// As [`run`](Self::run), with more in its environment.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn run_in(directory: TempDir, environment: &[(&str, &Path)]) -> Self {
        let mut process = command(&["run"], directory.path())
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the gateway starts");
        let log = Log::of(process.stderr.take().expect("the log of the gateway"));
        let listening = log.wait(|lines| lines.iter().find_map(|line| address_in(line)));
        let Some(address) = listening else {
            let _ = process.kill();
            let _ = process.wait();
            panic!(
                "the gateway does not listen\n{}",
                story(directory.path(), &log)
            );
        };
        Self {
            process,
            directory,
            log,
            address,
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A browser that knows this gateway.
    pub fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A browser that knows the administrative port.
    ///
    /// # Panics
    /// When the gateway does not say that it has one.
    #[track_caller]
    pub fn admin(&self) -> Browser {
        let line = self.log.wait(|lines| {
            lines
                .iter()
                .find(|line| line.contains("listening for the operator"))
                .cloned()
        });
        let address = line.as_deref().and_then(address_in);
        Browser::new(address.expect("the log names the administrative port"))
    }

    /// Waits for a line of the log that contains `text`.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn logged(&self, text: &str) -> String {
        let line = self
            .log
            .wait(|lines| lines.iter().find(|line| line.contains(text)).cloned());
        line.unwrap_or_else(|| panic!("nothing in the log has {text:?}"))
    }

    /// Waits for the line of the log that is the `nth`, from 1 on, to contain `text`.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn logged_again(&self, nth: usize, text: &str) -> String {
        let line = self.log.wait(|lines| {
            let mut found = lines.iter().filter(|line| line.contains(text));
            found.nth(nth - 1).cloned()
        });
        line.unwrap_or_else(|| panic!("{} lines have {text:?}, not {nth}", self.count(text)))
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Lets it read its configuration anew, and waits until it has.
    ///
    /// # Panics
    /// When it says nothing.
    #[track_caller]
    pub fn reload(&self, site: &Site) {
        let known = self.count(RELOADED) + self.count(REFUSED);
        site.write_into(self.directory.path());
        self.signal("HUP");
        let more = |lines: &[String]| {
            let said = |line: &&String| line.contains(RELOADED) || line.contains(REFUSED);
            (lines.iter().filter(said).count() > known).then_some(())
        };
        let more = self.log.wait(more);
        assert!(more.is_some(), "the configuration is not read anew");
    }

    /// Where its configuration is.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// How many lines of the log contain `text`.
    pub fn count(&self, text: &str) -> usize {
        let log = self.log.text();
        log.lines().filter(|line| line.contains(text)).count()
    }

    /// The number of the process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal by its name: `TERM`, `HUP`.
    pub fn signal(&self, signal: &str) {
        self::signal(self.process.id(), signal);
    }

    /// Ends the process in the middle of whatever it does, as a crash does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        self.wait();
    }

    /// Waits for the end of the process; everything it wrote is in the log then.
    ///
    /// # Panics
    /// When the system lost the process.
    pub fn wait(&mut self) -> ExitStatus {
        let status = self.process.wait().expect("the end of the gateway");
        self.log.wait_for_end();
        status
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", story(self.directory.path(), &self.log));
        }
        // Not the gentle way: a test that failed with a request in flight should not wait for it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Verdict {
    /// Runs `gateway <subcommand> --config <directory>` to its end.
    ///
    /// # Panics
    /// When there is no gateway.
    #[track_caller]
    pub fn of(subcommand: &str, directory: &Path) -> Self {
        Self::of_words(&[subcommand], directory)
    }

    /// Runs `gateway <words> --config <directory>` to its end.
    ///
    /// # Panics
    /// When there is no gateway.
    #[track_caller]
    pub fn of_words(words: &[&str], directory: &Path) -> Self {
        let output = command(words, directory)
            .output()
            .expect("the gateway starts");
        let [output_text, errors] = [&output.stdout, &output.stderr]
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Self {
            success: output.status.success(),
            code: output.status.code(),
            output: output_text,
            errors,
        }
    }

    /// Everything it printed.
    pub fn text(&self) -> String {
        format!("{}{}", self.output, self.errors)
    }

    /// Expects a refusal that says `text`.
    ///
    /// # Panics
    /// When it was none, or said something else.
    #[track_caller]
    pub fn assert_refused(&self, text: &str) {
        assert!(
            !self.success,
            "accepted, but expected: {text}\n{}",
            self.text()
        );
        assert!(
            self.text().contains(text),
            "expected: {text}\n{}",
            self.text()
        );
    }
}

/// Sends a signal by its name.
pub(crate) fn signal(process: u32, signal: &str) {
    let sent = Command::new("kill")
        .args([format!("-{signal}"), process.to_string()])
        .status();
    assert!(
        sent.is_ok_and(|status| status.success()),
        "cannot send SIG{signal} to {process}"
    );
}

fn command(words: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(plugins::gateway());
    command.args(words).arg("--config").arg(directory);
    command
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null());
    command
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening")?;
    let mut words = rest.split(|c: char| c.is_whitespace() || c == '=' || c == '"');
    words.find_map(|word| word.parse().ok())
}

/// Everything somebody needs who was not there.
fn story(directory: &Path, log: &Log) -> String {
    let mut story = String::new();
    for file in fs::read_dir(directory).into_iter().flatten().flatten() {
        let text = fs::read_to_string(file.path()).unwrap_or_default();
        story.push_str(&format!(
            "==== {}\n{text}",
            file.file_name().to_string_lossy()
        ));
    }
    story.push_str(&format!("==== log\n{}\n====", log.text()));
    story
}

// What the log says at the end of each attempt.
const RELOADED: &str = "new requests are served by the new configuration";
const REFUSED: &str = "the configuration before goes on serving";
