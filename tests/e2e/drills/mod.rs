//! Servers fail while people work.
//!
//! Each drill breaks something under a steady load from several gateways and puts it right again. Whatever it was:
//! nobody is told to drop a cookie, nobody is taken for a stranger, every answer comes in time, no session that was
//! acknowledged is lost, and everybody works again afterwards.
//!
//! Among all tests the drills are short. `cargo xtask drill` runs them alone, at full length, and prints what was seen.

mod cluster;
mod copies;
mod people;
mod policies;
mod sentinel;
mod single;

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;
use std::time::{Duration, Instant};

use e2e::{Answered, Gateway, Load, Site, Upstream};
use serde_json::Value;

use self::people::Person;

/// Gateways on one storage, and people at work.
struct Drill {
    name: &'static str,
    gateways: Vec<Gateway>,
    load: Load<Person>,
    recovered: Option<Duration>,
    _upstream: Upstream,
}

impl Drill {
    /// Two gateways on a storage as `settings` say.
    #[track_caller]
    fn start(name: &'static str, settings: &Value) -> Self {
        Self::with(name, &[settings, settings])
    }

    /// A gateway for each way to the storage.
    #[track_caller]
    fn with(name: &'static str, settings: &[&Value]) -> Self {
        let upstream = people::upstream();
        let gateways: Vec<_> = settings
            .iter()
            .map(|settings| site(&upstream, settings).load(LIVELY).run())
            .collect();
        let addresses: Vec<_> = gateways.iter().map(Gateway::address).collect();
        let drill = Self {
            name,
            load: Load::start(people::at(&gateways[0]), &addresses),
            gateways,
            recovered: None,
            _upstream: upstream,
        };
        drill.everybody_is_served();
        drill
    }

    /// Waits until everybody was served by every gateway.
    #[track_caller]
    fn everybody_is_served(&self) {
        for gateway in 0..self.gateways.len() {
            self.everybody_is_answered(gateway, 200);
        }
    }

    /// Waits until people have gone on asking for a while: at least once, and at full length for ten seconds.
    #[track_caller]
    fn goes_on(&self) {
        let end = Instant::now() + at_length(Duration::ZERO, Duration::from_secs(10));
        self.load.until("people who go on asking", |all| {
            all.iter().any(|answered| answered.asked >= end)
        });
    }

    /// Waits until everybody was refused by every gateway, because the storage did not answer.
    #[track_caller]
    fn everybody_is_refused(&self) {
        for gateway in 0..self.gateways.len() {
            self.everybody_is_answered(gateway, 503);
        }
    }

    /// Waits until those who only read were served by every gateway.
    #[track_caller]
    fn readers_are_served(&self) {
        for gateway in 0..self.gateways.len() {
            self.are_answered(people::READERS, gateway, 200);
        }
    }

    /// Waits until everybody was answered so by one gateway.
    #[track_caller]
    fn everybody_is_answered(&self, gateway: usize, status: u16) {
        self.are_answered(0..people::COUNT, gateway, status);
    }

    #[track_caller]
    fn are_answered(&self, people: Range<usize>, gateway: usize, status: u16) {
        let address = self.gateways[gateway].address();
        let has_status = |all: &[&Answered], person| {
            all.iter().any(|answered| {
                (answered.person, answered.gateway, answered.status()) == (person, address, status)
            })
        };
        let what = format!("{status} for people {people:?} from gateway {gateway}");
        self.load.until(&what, |all| {
            people.clone().all(|person| has_status(all, person))
        });
    }

    /// Waits until nobody can be let in any more.
    #[track_caller]
    fn newcomers_are_refused(&self) {
        self.load.until("503 for newcomers", |all| {
            all.iter()
                .any(|answered| answered.person == people::NEWCOMER && answered.status() == 503)
        });
    }

    /// The storage can be used again: waits until everybody is served, and notes how long that took.
    #[track_caller]
    fn recovers(&mut self) {
        let usable = Instant::now();
        self.everybody_is_served();
        self.recovered = Some(usable.elapsed());
    }

    /// Ends the work, holds every answer against what is promised, and says how many were refused.
    #[track_caller]
    fn ends_well(self) -> usize {
        let (people, answers) = self.load.stop();
        for answered in &answers {
            people::judge(&people, answered);
        }
        for gateway in &self.gateways {
            for person in &people {
                person.is_known_at(gateway.address());
            }
        }
        let refused = answers.iter().filter(|answered| answered.status() == 503);
        let refused = refused.count();
        let longest = answers.iter().map(|answered| answered.took).max();
        report(format_args!(
            "| {} | {} | {refused} | {} | {} |",
            self.name,
            answers.len(),
            longest.unwrap_or_default().as_millis(),
            self.recovered.unwrap_or_default().as_millis(),
        ));
        refused
    }
}

fn site(upstream: &Upstream, settings: &Value) -> Site {
    let mut settings = settings.clone();
    settings["timeout"] = "1s".into();
    settings["connectTimeout"] = "1s".into();
    Site::new(upstream)
        .redis_as(&settings)
        .headers("X-User-Id: user_id, X-Seen: seen")
        .action("Echo: { use: gateway.actions.EchoAction }")
        .route("path: /who, middlewares: [Load, Map], action: Echo")
}

/// What is enough among other tests, and what a report takes.
fn at_length<T>(short: T, full: T) -> T {
    match report_file() {
        Some(_) => full,
        None => short,
    }
}

/// Notes what was seen, if somebody wants to know.
fn report(line: fmt::Arguments<'_>) {
    let Some(file) = report_file() else { return };
    let file = OpenOptions::new().append(true).create(true).open(file);
    writeln!(file.unwrap(), "{line}").unwrap();
}

/// Where `cargo xtask drill` wants to read what was seen.
fn report_file() -> Option<OsString> {
    env::var_os("DRILL_REPORT")
}

/// Sessions that are renewed and touched in the middle of everything.
const LIVELY: &str = "cookieExpiration: 1h, autoRenewAfter: 2s, touchInterval: 1s";
/// A request may run several commands one after the other: two to find a session, two to write it. Each of them has a
/// deadline of a second.
const DEADLINE: Duration = Duration::from_secs(4);
