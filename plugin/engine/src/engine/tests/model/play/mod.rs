//! Plays a script on real engines and holds every answer against the truth.

mod beginning;
mod case;
mod ending;
mod finding;
mod writing;

use std::sync::atomic::Ordering;

use proptest::prelude::*;

use super::super::*;
use super::cast::{Cast, House};
use super::life::Life;
use super::script::{Broom, Deed, Errand, Script, Step};
use super::tale::{Moment, Verdict};
use super::truth::Truth;
use crate::storage::conformance::block_on;

use self::case::Case;

/// What becomes of a step: nothing, or what was wrong.
type Checked = Result<(), TestCaseError>;

/// A play in progress.
struct Play {
    cast: Cast,
    truth: Truth,
}

/// Plays a whole script, and looks for every session at the end.
pub(super) fn play(house: &impl House, script: &Script) -> Checked {
    let mut play = Play {
        cast: Cast::new(house, &script.world),
        truth: Truth::new(script.world.clone()),
    };
    block_on(async {
        for step in &script.steps {
            play.step(step).await?;
            let faults = std::mem::take(&mut *play.cast.tally.faults.lock().unwrap());
            prop_assert!(faults.is_empty(), "{faults:?}");
        }
        play.curtain().await
    })
}

impl Play {
    async fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Approach { session, short_by } => self.approach(*session, *short_by),
            Step::Come { at, id, errand } => {
                if let Some((id, _)) = recent(&self.truth.ids, *id).cloned() {
                    self.come(*at, &id, *errand).await?;
                }
            }
            Step::Create { at, write } => self.create(*at, write).await?,
            Step::Do { at, snapshot, deed } => {
                if let Some(held) = recent(&self.truth.snapshots, *snapshot).cloned() {
                    self.act_on(*at, &held, deed).await?;
                }
            }
            Step::Jump { at, millis } if self.truth.world.skews.is_some() => {
                self.cast.gateways[*at].jump(*millis);
            }
            Step::Jump { .. } => {}
            Step::List { at, user } => self.list(*at, user).await?,
            Step::Pass(time) => self.cast.pass(*time),
            Step::RevokeAll { at, user } => self.revoke_all(*at, user).await?,
            Step::RevokeOne { at, user, session } => {
                if let Some(session) = place(&self.truth.tales, *session) {
                    self.revoke_one(*at, (user, session)).await?;
                }
            }
            Step::Stranger { at, disguise } => self.stranger(*at, *disguise).await?,
        }
        Ok(())
    }

    async fn come(&mut self, at: usize, id: &SessionId, errand: Errand) -> Checked {
        match errand {
            Errand::Load => self.load(at, id).await.map(|_| ()),
            Errand::Revoke => self.revoke(at, id).await,
            Errand::Visit => self.visit(at, id).await,
        }
    }

    async fn act_on(&mut self, at: usize, held: &(Session, usize), deed: &Deed) -> Checked {
        let case = self.case(at, held);
        let end = self.truth.end_of(case.session);
        match deed {
            Deed::Patch(write) => self.patch(&case, write).await?,
            Deed::Regenerate(write) => self.regenerate(&case, write).await?,
            Deed::RevokeOthers => self.revoke_others(&case).await?,
            Deed::Rotate => self.rotate(&case).await?,
            Deed::Touch => self.touch(&case).await?,
        }
        self.announce(&case, deed);
        if let Deed::Patch(_) | Deed::Regenerate(_) = deed {
            self.truth.shorten(case.session, end);
        }
        Ok(())
    }

    /// The roster may have heard of what they wanted, even if nothing came of it.
    fn announce(&mut self, case: &Case, deed: &Deed) {
        let (lifetime, now, told) = (self.truth.lifetime(), case.moment.here, &case.told);
        let wanted = match deed {
            Deed::Patch(write) => told.written(&lifetime, write, now),
            Deed::Regenerate(write) => told.renewed(&lifetime, now).written(&lifetime, write, now),
            Deed::Touch => told.touched(now),
            Deed::RevokeOthers | Deed::Rotate => return,
        };
        self.truth.announce(case.session, &wanted);
    }

    /// Everybody comes once more with everything they have: first with the ids that are valid, then with all others.
    async fn curtain(&mut self) -> Checked {
        for user in ["anna", "ben"] {
            self.list(0, user).await?;
        }
        let valid = self.truth.tales.iter().map(|tale| tale.id.clone());
        let all = self.truth.ids.iter().map(|(id, _)| id.clone());
        let ids: Vec<_> = valid.chain(all).collect();
        for (number, id) in ids.iter().enumerate() {
            self.load(number % 3, id).await?;
        }
        Ok(())
    }

    /// Lets time go by until a session is nearly over, if it is not yet.
    fn approach(&self, session: usize, short_by: Duration) {
        if let Some(tale) = recent(&self.truth.tales, session) {
            let end = tale.life.end(&self.truth.lifetime());
            let left = end.since(self.cast.moment(0).here);
            self.cast.pass(left.saturating_sub(short_by));
        }
    }

    /// A gateway does something, now.
    fn act(&mut self, at: usize) -> Moment {
        self.cast.witness.seen();
        let moment = self.cast.moment(at);
        self.truth.act(moment);
        moment
    }

    fn engine(&self, at: usize) -> &Engine {
        &self.cast.gateways[at].engine
    }

    fn life(&self, session: usize) -> &Life {
        &self.truth.tales[session].life
    }

    fn is_over(&self, life: &Life, moment: Moment) -> bool {
        life.left(&self.truth.lifetime(), moment.here).is_zero()
    }

    fn is_too_large(&self, life: &Life) -> bool {
        life.len() > self.truth.world.policy.max_bytes
    }

    /// How many thefts were reported since the gateway began to act.
    fn thefts(&self) -> usize {
        let events = self.cast.witness.seen();
        let thefts = events
            .iter()
            .filter(|(event, _)| *event == "reuse-detected");
        thefts.count()
    }

    fn writes(&self) -> u64 {
        self.cast.tally.writes.load(Ordering::Relaxed)
    }

    /// Somebody gets an answer that they should never get. Where the clock of a storage goes on, a row that was given
    /// to it for a millisecond may be gone before it is written again: that play is off.
    fn unheard(&self, answer: Saved) -> Checked {
        match (self.truth.world.broom, &answer) {
            (Broom::Remote, Saved::Unavailable(_)) => Err(TestCaseError::reject("a row is gone")),
            _ => Err(TestCaseError::fail(format!("{answer:?}"))),
        }
    }

    /// Somebody is told of a session: it is the one that it must be. They may come back to it.
    fn check_told(&mut self, told: &Session, session: usize) -> Checked {
        let tale = &self.truth.tales[session];
        prop_assert_eq!(&Life::from(told.record()), &tale.life);
        prop_assert_eq!(told.version(), tale.version);
        prop_assert!(*told.id() == tale.id, "another id");
        let is_named = told.record().roster().is_some();
        prop_assert_eq!(is_named, tale.life.principal().is_some());
        self.truth.snapshots.push((told.clone(), session));
        Ok(())
    }

    /// Somebody is told whether a session is there.
    fn check_answer(
        &mut self,
        session: usize,
        expected: Verdict,
        found: Option<&Session>,
    ) -> Checked {
        match (expected, found.is_some()) {
            (Verdict::Yes, false) => return fail("a living session is gone"),
            (Verdict::No, true) => return fail("a session that is over is there"),
            (Verdict::Perhaps, false) => self.truth.lose(session),
            (Verdict::Perhaps | Verdict::Yes, true) | (Verdict::No, false) => {}
        }
        Ok(())
    }
}

fn fail(reason: &'static str) -> Checked {
    Err(TestCaseError::fail(reason))
}

/// What is so many places before the last.
fn recent<T>(list: &[T], number: usize) -> Option<&T> {
    list.get(place(list, number)?)
}

fn place<T>(list: &[T], number: usize) -> Option<usize> {
    (!list.is_empty()).then(|| list.len() - 1 - number % list.len())
}
