//! Who works while things fail.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::ops::Range;

use e2e::{Answered, Browser, Gateway, Message, Request, Upstream};

use super::DEADLINE;

/// Somebody with an occupation.
pub(super) enum Person {
    /// Comes with a session and changes nothing.
    Reader { name: String, browser: Browser },
    /// Counts in the session. What was acknowledged must not be lost.
    Writer {
        name: String,
        browser: Browser,
        acknowledged: u64,
    },
    /// Logs in again and again. Who was let in once must be known later.
    Newcomer { admitted: Vec<(String, Browser)> },
}

/// Two readers, a writer and somebody who logs in.
pub(super) fn at(gateway: &Gateway) -> Vec<Person> {
    let names = ["reader-0", "reader-1", "writer"];
    let [first, second, writer] = names.map(|name| (name.to_owned(), log_in(gateway, name)));
    let reader = |(name, browser)| Person::Reader { name, browser };
    let people = [
        reader(first),
        reader(second),
        Person::Writer {
            name: writer.0,
            browser: writer.1,
            acknowledged: 0,
        },
        Person::Newcomer { admitted: vec![] },
    ];
    people.into()
}

/// How many people there are.
pub(super) const COUNT: usize = 4;
/// Who only reads.
pub(super) const READERS: Range<usize> = 0..2;
/// Who logs in again and again.
pub(super) const NEWCOMER: usize = 3;

impl e2e::Person for Person {
    fn ask(&mut self, gateway: SocketAddr) -> io::Result<Message> {
        match self {
            Self::Reader { browser, .. } => {
                *browser = browser.at(gateway);
                browser.try_send(Request::get("/who"))
            }
            Self::Writer {
                browser,
                acknowledged,
                ..
            } => {
                *browser = browser.at(gateway);
                let next = *acknowledged + 1;
                let answer = browser.try_send(write(&format!(r#"{{"seen":{next}}}"#)))?;
                if answer.status() == 200 {
                    *acknowledged = next;
                }
                Ok(answer)
            }
            Self::Newcomer { admitted } => {
                let name = format!("newcomer-{}", admitted.len());
                let mut browser = Browser::new(gateway);
                let answer = browser.try_send(login(&name))?;
                if answer.status() == 200 {
                    admitted.push((name, browser));
                }
                Ok(answer)
            }
        }
    }
}

impl Person {
    /// Every session this person was told of is there, with everything in it.
    #[track_caller]
    pub(super) fn is_known_at(&self, gateway: SocketAddr) {
        match self {
            Self::Reader { name, browser } => is_known(name, &browser.at(gateway)),
            Self::Newcomer { admitted } => {
                assert!(!admitted.is_empty(), "nobody was let in");
                for (name, browser) in admitted {
                    is_known(name, &browser.at(gateway));
                }
            }
            Self::Writer {
                name,
                browser,
                acknowledged,
            } => {
                is_known(name, &browser.at(gateway));
                let echo = browser.at(gateway).get("/who").json();
                let seen = echo["headers"]["x-seen"].as_str().unwrap_or("0").parse();
                // One more may have been written than was acknowledged.
                assert!(
                    (*acknowledged..=acknowledged + 1).contains(&seen.unwrap()),
                    "{acknowledged} were acknowledged, {echo}"
                );
            }
        }
    }
}

/// What is promised about every answer, whatever happens to the storage.
#[track_caller]
pub(super) fn judge(people: &[Person], answered: &Answered) {
    let summary = answered.summary();
    let Ok(message) = &answered.answer else {
        panic!("no answer: {summary}");
    };
    let cookies = message.values("set-cookie");
    match (message.status(), &people[answered.person]) {
        (200, Person::Reader { name, .. }) => {
            let echo = message.json();
            assert_eq!(echo["headers"]["x-user-id"], **name, "{summary}");
        }
        (200, Person::Newcomer { .. }) => assert_eq!(cookies.len(), 1, "{summary}"),
        (200, Person::Writer { .. }) => {}
        (503, _) => {
            assert!(message.header("retry-after").is_some(), "{summary}");
            assert_eq!(cookies, [""; 0], "{summary}");
        }
        _ => panic!("{summary}: {:?}", message.text()),
    }
    for cookie in cookies {
        assert!(!cookie.contains("Max-Age=0"), "{summary}: cleared");
    }
    assert!(answered.took < DEADLINE, "{summary}");
}

/// An upstream that writes into the session what a request to `/write` asks for. Somebody else's session, or nobody's,
/// is not written: that would be a new one.
pub(super) fn upstream() -> Upstream {
    let upstream = Upstream::start();
    upstream.by_hand("/write", |head, mut line| {
        let wanted = head.header("x-write").unwrap_or_default();
        let is_allowed = wanted.contains("user_id") || head.header("x-user-id").is_some();
        let head = match is_allowed {
            true => format!("200 OK\r\nX-Session-Set: {wanted}"),
            false => "409 Nobody".to_owned(),
        };
        let answer = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let _ = line.get_mut().write_all(answer.as_bytes());
    });
    upstream
}

/// A browser with a session of somebody called `name`.
#[track_caller]
pub(super) fn log_in(gateway: &Gateway, name: &str) -> Browser {
    let mut browser = gateway.browser();
    assert_eq!(browser.send(login(name)).status(), 200);
    browser
}

/// A login without a password.
pub(super) fn login(name: &str) -> Request {
    write(&format!(r#"{{"user_id":"{name}"}}"#))
}

/// Lets the upstream write this into the session.
pub(super) fn write(session: &str) -> Request {
    Request::get("/write").header("X-Write", session)
}

#[track_caller]
fn is_known(name: &str, browser: &Browser) {
    let answer = browser.clone().get("/who");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json()["headers"]["x-user-id"], *name);
}
