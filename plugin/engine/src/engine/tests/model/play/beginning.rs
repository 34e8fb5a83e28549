//! Sessions that begin, and logins.

use super::super::script::Write;
use super::*;
use crate::session::{Excess, Family};

/// What becomes of a session that wants to begin.
struct Entrance {
    /// Whether it may.
    is_admitted: Verdict,
    /// Whose place it takes.
    evicted: Vec<usize>,
    /// Who may have to go, and nobody knows.
    doubtful: Vec<usize>,
}

impl Play {
    pub(super) async fn create(&mut self, at: usize, write: &Write) -> Checked {
        let moment = self.act(at);
        let saved = self.engine(at).create(&write.deltas(moment.here)).await;
        self.begun(saved, self.blank(write, moment), (moment, None))
    }

    /// Gives the session an id that has nothing to do with the old one. If somebody logs in, or out, another one begins.
    pub(super) async fn regenerate(&mut self, case: &Case, write: &Write) -> Checked {
        let (lifetime, now) = (self.truth.lifetime(), case.moment.here);
        let renewed = case
            .told
            .renewed(&lifetime, now)
            .written(&lifetime, write, now);
        let engine = self.engine(case.at);
        let saved = engine.regenerate(&case.snapshot, &write.deltas(now)).await;
        let is_same = renewed.principal() == self.life(case.session).principal();
        let is_login = renewed.principal().is_some() && write.names_user();
        if is_same && !is_login {
            self.goes_on(case, write, (saved, &renewed)).await
        } else {
            self.begins_again(case, write, saved).await
        }
    }

    async fn goes_on(
        &mut self,
        case: &Case,
        write: &Write,
        (saved, told): (Saved, &Life),
    ) -> Checked {
        let (lifetime, now) = (self.truth.lifetime(), case.moment.here);
        let renewed = self.life(case.session).renewed(&lifetime, now);
        let life = renewed.written(&lifetime, write, now);
        match saved {
            Saved::Done(told) => {
                self.check_alive(case, &life)?;
                prop_assert!(
                    self.truth.owner(told.id()).is_none(),
                    "an id is given twice"
                );
                self.truth.replace(case.session, (life, &told), case.moment);
                self.check_told(&told, case.session)
            }
            Saved::Lost if self.is_over(&life, case.moment) => self.ended(case).await,
            Saved::Lost => self.check_lost(case).await,
            Saved::Refused(Refusal::TooLarge) => self.check_too_large([&life, told]),
            other => self.unheard(other),
        }
    }

    /// With the data of the old session if that is still alive.
    async fn begins_again(&mut self, case: &Case, write: &Write, saved: Saved) -> Checked {
        let blank = self.blank(write, case.moment);
        let told = self.again(&case.told, write, case.moment);
        let carried = self.again(self.life(case.session), write, case.moment);
        if saved == Saved::Refused(Refusal::TooLarge) {
            return self.check_too_large([&carried, &told]);
        }
        let (begun, is_login) = (self.truth.tales.len(), blank.principal().is_some());
        match case.expected() {
            Verdict::Yes => {
                // Without a life it ends what there was; refused, it leaves it.
                let ends = matches!(saved, Saved::Done(_) | Saved::Lost);
                self.begun(saved, carried, (case.moment, Some(case.session)))?;
                if ends {
                    self.truth.end(case.session, case.moment);
                }
            }
            Verdict::No => {
                match is_login {
                    true => self.begun(saved, blank, (case.moment, Some(case.session)))?,
                    false => prop_assert_eq!(saved, Saved::Lost),
                }
                self.check_lost(case).await?;
            }
            Verdict::Perhaps => {
                let is_carried = |told: &Session| {
                    let family = told.record().family();
                    Life::from(told.record())
                        == Life {
                            family,
                            ..carried.clone()
                        }
                };
                match &saved {
                    Saved::Done(told) if is_carried(told) => {
                        self.begun(saved, carried, (case.moment, Some(case.session)))?
                    }
                    Saved::Lost if !is_login => {}
                    _ => self.begun(saved, blank, (case.moment, Some(case.session)))?,
                }
                self.put_down(case).await;
            }
        }
        if self.truth.tales.len() > begun {
            self.truth.announce(begun, &told);
        }
        Ok(())
    }

    /// A session wanted to begin, and this is what came of it.
    fn begun(
        &mut self,
        saved: Saved,
        mut life: Life,
        (moment, replaced): (Moment, Option<usize>),
    ) -> Checked {
        let entrance = self.entrance(&life, (moment, replaced));
        let [is_over, is_too_large] = [self.is_over(&life, moment), self.is_too_large(&life)];
        match saved {
            Saved::Lost => prop_assert!(is_over && !is_too_large),
            Saved::Refused(Refusal::TooLarge) => prop_assert!(is_too_large),
            Saved::Refused(Refusal::TooManySessions) => {
                prop_assert!(
                    entrance.is_admitted != Verdict::Yes,
                    "refused below the limit"
                );
            }
            Saved::Done(told) => {
                prop_assert!(!is_over && !is_too_large);
                prop_assert!(entrance.is_admitted != Verdict::No, "admitted at the limit");
                life.family = told.record().family();
                let mut families = self.truth.tales.iter().map(|tale| tale.life.family);
                prop_assert!(
                    families.all(|family| family != life.family),
                    "no new session"
                );
                entrance
                    .evicted
                    .into_iter()
                    .for_each(|session| self.truth.strike(session));
                entrance
                    .doubtful
                    .into_iter()
                    .for_each(|session| self.truth.doubt(session));
                let session = self.truth.begin(life, &told, moment);
                self.check_told(&told, session)?;
            }
            other => return self.unheard(other),
        }
        Ok(())
    }

    /// A session whose place it takes is in nobody's way.
    fn entrance(&self, life: &Life, (moment, replaced): (Moment, Option<usize>)) -> Entrance {
        let mut entrance = Entrance {
            is_admitted: Verdict::Yes,
            evicted: Vec::new(),
            doubtful: Vec::new(),
        };
        let (Some(limit), Some(user)) = (self.truth.world.policy.limit, life.principal()) else {
            return entrance;
        };
        let [surely, perhaps] = self.truth.sessions_of(&user, moment).map(|mut sessions| {
            sessions.retain(|session| Some(*session) != replaced);
            sessions
        });
        let least = surely.len() + 1;
        if least + perhaps.len() <= limit.sessions {
            return entrance;
        }
        match limit.excess {
            Excess::Refuse if least > limit.sessions => entrance.is_admitted = Verdict::No,
            Excess::Refuse => entrance.is_admitted = Verdict::Perhaps,
            Excess::EvictOldest if perhaps.is_empty() => {
                entrance.evicted = self.oldest(surely, least - limit.sessions);
            }
            Excess::EvictOldest => entrance.doubtful = [surely, perhaps].concat(),
        }
        entrance
    }

    fn oldest(&self, mut sessions: Vec<usize>, count: usize) -> Vec<usize> {
        let age = |life: &Life| (life.created_at, life.family);
        sessions.sort_by_key(|&session| age(self.life(session)));
        sessions.truncate(count);
        sessions
    }

    fn blank(&self, write: &Write, moment: Moment) -> Life {
        let lifetime = &self.truth.lifetime();
        Life::begin(lifetime, NOBODY, moment.here).written(lifetime, write, moment.here)
    }

    /// With the data of who was there before, unless that is a user and not the one who is there now.
    fn again(&self, life: &Life, write: &Write, moment: Moment) -> Life {
        let lifetime = &self.truth.lifetime();
        let again = life.begin_again(lifetime, NOBODY, moment.here);
        let again = again.written(lifetime, write, moment.here);
        let [before, after] = [life, &again].map(Life::principal);
        match before.is_some() && before != after {
            true => self.blank(write, moment),
            false => again,
        }
    }
}

// Of a session that has not begun.
const NOBODY: Family = Family::new(0);
