//! People at work, all the time.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Message, PATIENCE};

/// Somebody who asks one thing after the other.
pub trait Person: Send + 'static {
    /// Asks a gateway once.
    ///
    /// # Errors
    /// When there is no whole answer.
    fn ask(&mut self, gateway: SocketAddr) -> io::Result<Message>;
}

/// A steady load: a thread for each person, who goes round the gateways and never hurries. Every answer is recorded.
#[derive(Debug)]
pub struct Load<P> {
    people: Vec<JoinHandle<P>>,
    record: Arc<Record>,
}

/// One request and what came of it.
#[derive(Debug)]
pub struct Answered {
    /// Who asked, by number.
    pub person: usize,
    /// Which gateway.
    pub gateway: SocketAddr,
    /// When.
    pub asked: Instant,
    /// How long it took.
    pub took: Duration,
    /// The answer, or why there was none.
    pub answer: Result<Message, io::ErrorKind>,
}

#[derive(Debug, Default)]
struct Record {
    so_far: Mutex<SoFar>,
    grew: Condvar,
}

#[derive(Debug, Default)]
struct SoFar {
    answers: Vec<Answered>,
    is_over: bool,
}

impl<P: Person> Load<P> {
    /// Lets everybody begin.
    pub fn start(people: Vec<P>, gateways: &[SocketAddr]) -> Self {
        let record = Arc::new(Record::default());
        let people = people.into_iter().enumerate().map(|(number, person)| {
            let (record, gateways) = (Arc::clone(&record), gateways.to_vec());
            thread::spawn(move || record.work(number, person, &gateways))
        });
        Self {
            people: people.collect(),
            record,
        }
    }

    /// Waits until `is_enough` of the answers to what was asked from now on.
    ///
    /// # Panics
    /// When it never is; with what was answered instead.
    #[track_caller]
    pub fn until(&self, what: &str, is_enough: impl Fn(&[&Answered]) -> bool) {
        let now = Instant::now();
        let first = self.record.so_far().answers.len();
        let unmet = |so_far: &mut SoFar| {
            // What was asked earlier may be answered later.
            let since = so_far.answers[first..]
                .iter()
                .filter(|answered| answered.asked >= now);
            !is_enough(&since.collect::<Vec<_>>())
        };
        let waited = self
            .record
            .grew
            .wait_timeout_while(self.record.so_far(), PATIENCE, unmet);
        let (so_far, time) = waited.unwrap_or_else(PoisonError::into_inner);
        if time.timed_out() {
            let last = so_far.answers.iter().rev().take(20).map(Answered::summary);
            let last = last.collect::<Vec<_>>().join("\n");
            drop(so_far);
            panic!("{what}: not in {PATIENCE:?}; the last answers:\n{last}");
        }
    }

    /// Lets everybody finish, and says who they were and what they were answered.
    ///
    /// # Panics
    /// When one of them did.
    #[track_caller]
    pub fn stop(self) -> (Vec<P>, Vec<Answered>) {
        self.record.so_far().is_over = true;
        let people = self.people.into_iter();
        let people = people.map(|person| person.join().expect("a person who finishes"));
        let people = people.collect();
        let answers = std::mem::take(&mut self.record.so_far().answers);
        (people, answers)
    }
}

impl Record {
    fn work<P: Person>(&self, number: usize, mut person: P, gateways: &[SocketAddr]) -> P {
        let mut round = gateways.iter().cycle().skip(number % gateways.len());
        while let Some(&gateway) = round.next().filter(|_| !self.so_far().is_over) {
            let asked = Instant::now();
            let answer = person.ask(gateway).map_err(|error| error.kind());
            self.so_far().answers.push(Answered {
                person: number,
                gateway,
                asked,
                took: asked.elapsed(),
                answer,
            });
            self.grew.notify_all();
            thread::sleep(PAUSE);
        }
        person
    }

    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answered {
    /// The status; 0 when there was no answer.
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, Message::status)
    }

    /// The whole of it in a line.
    pub fn summary(&self) -> String {
        let answer = match &self.answer {
            Ok(message) => message.start_line(),
            Err(error) => error.to_string(),
        };
        let (person, took) = (self.person, self.took);
        format!("person {person} at {}: {answer} in {took:?}", self.gateway)
    }
}

/// Between an answer and the next question. Somebody who asks all the time would measure this machine.
const PAUSE: Duration = Duration::from_millis(15);
