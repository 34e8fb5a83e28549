//! What sessions cost under load, against nginx and against what people would use instead.
//!
//! Every contender does the same work for the same client: a request with a cookie becomes a request with `X-User-Id` and
//! `Authorization`, and an upstream answers 1 KB only if both have arrived. The session has six attributes of about 1 KB
//! together, and began at the contender's own `/login`. Contenders without sessions get both headers from the client.
//! Whoever needs Redis reaches it by its unix socket and keeps its connections; how many is each one's own best choice.
//! What they promise beyond that differs: the gateway reads two rows in its round trip, because sessions belong to users,
//! and writes the time of the last use once a minute, as Apache does; the others read one value and write nothing.
//! Apache's own sessions know SQL databases and no Redis; it has SQLite, which costs it no round trip.
//!
//! Everybody is started once, on processor 0, and only who is measured has anything to do there. `wrk` with 64 connections,
//! the upstream and Redis share processor 1. One contender after the other gets a second, in rounds that each begin with
//! another one, because a machine is never as fast twice: ratios are taken inside a round, then their median. The first
//! round warms up and does not count. Near the top the load generator is full itself, so the processor time per request is
//! the fairer figure; it is the contender's own, user and kernel, without what Redis and the upstream spend.
//!
//! A machine with two processors and nothing else to do is enough, and needed.

mod apache;
mod axum;
mod backend;
mod chart;
mod contender;
mod count;
mod cpu;
mod crowd;
mod express;
mod field;
mod gateway;
mod idle;
mod login;
mod lua;
mod nginx;
mod pace;
mod page;
mod process;
mod round;
mod secure;
mod table;
mod wrk;

use std::path::Path;
use std::time::Duration;

use self::backend::Backend;
use self::contender::Contender;
use self::field::Field;
use self::round::Sample;
use crate::{Error, layout, root, step, tools};

pub(crate) use self::chart::chart;
pub(crate) use self::count::count;
pub(crate) use self::crowd::crowd;
pub(crate) use self::idle::idle;
pub(crate) use self::pace::pace;
pub(crate) use self::secure::secure;

/// Which gateway is compared.
#[derive(Clone, Copy)]
pub(crate) enum Subject {
    /// What was laid out to be shipped.
    Dist,
    /// What cargo builds for anybody.
    Release,
}

/// Lets the gateway in a directory answer what it answers in the comparison, for as long as a profile needs. It ends well,
/// and leaves what it has counted.
///
/// # Errors
/// As for [`load`].
pub(crate) fn train(directory: &Path) -> Result<(), Error> {
    let backend = Backend::start(directory)?;
    for sessions in gateway::Sessions::ALL {
        let gateway = gateway::contender(sessions, &backend)?;
        wrk::run(&gateway, TRAINING)?;
    }
    Ok(())
}

/// Compares and prints a table in Markdown.
///
/// # Errors
/// When something is missing, does not start, or answers anything but 200. A peer that cannot be started is left out.
pub(crate) fn load(subject: Subject) -> Result<(), Error> {
    tools::require(tools::FOR_LOAD)?;
    let directory = tempfile::tempdir()?;
    lay_out(subject, directory.path())?;
    let backend = Backend::start(directory.path())?;
    let field = Field::start(&backend)?;
    let rounds = rounds(field.contenders())?;
    let names: Vec<&str> = field.contenders().iter().map(Contender::name).collect();
    println!("{}", table::render(&names, &rounds));
    for absent in field.absent() {
        println!("{absent}");
    }
    Ok(())
}

fn lay_out(subject: Subject, directory: &Path) -> Result<(), Error> {
    match subject {
        Subject::Dist => layout::copy(&root().join("dist"), directory),
        Subject::Release => layout::lay_out(directory, "release"),
    }
}

fn rounds(contenders: &[Contender]) -> Result<Vec<Vec<Sample>>, Error> {
    let each = round::duration(contenders);
    step::announce("a round to warm up");
    round::take(0, contenders)?;
    let rounds = (1..=ROUNDS).map(|number| {
        let left = (each * (ROUNDS + 1 - number)).as_secs();
        step::announce(&format!("round {number} of {ROUNDS}, {left} s left"));
        round::take(number as usize, contenders)
    });
    rounds.collect()
}

// A round is short, and many of them may be disturbed.
const ROUNDS: u32 = 25;

// Some ten thousand requests even with counters in the way.
const TRAINING: Duration = Duration::from_secs(3);
