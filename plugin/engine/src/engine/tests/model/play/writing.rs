//! Changes, uses and renewals.

use super::super::script::Write;
use super::*;

impl Play {
    /// Writes down that the session is in use. Whoever has not read it last writes nothing.
    pub(super) async fn touch(&mut self, case: &Case) -> Checked {
        let life = self.life(case.session).touched(case.moment.here);
        let tale = &self.truth.tales[case.session];
        let is_newest = (case.snapshot.id(), case.snapshot.version()) == (&tale.id, tale.version);
        // In its last millisecond a session is as good as over.
        let is_last = self.is_over(&life, case.moment);
        let told = match self.engine(case.at).touch(&case.snapshot).await {
            Saved::Done(told) => Some(told),
            Saved::Lost if case.expected() != Verdict::Yes || is_last => None,
            Saved::Lost => return fail("a living session is lost"),
            other => return self.unheard(other),
        };
        let written = told.filter(|told| *told != case.snapshot);
        match written {
            Some(told) if !is_newest || is_last => self.check_told(&told, case.session),
            Some(told) => {
                self.check_alive(case, &life)?;
                self.truth.write(case.session, life, case.moment);
                self.check_told(&told, case.session)
            }
            None if is_newest && !is_last => self.check_answer(case.session, case.alive, None),
            None => Ok(()),
        }
    }

    /// Changes the session.
    pub(super) async fn patch(&mut self, case: &Case, write: &Write) -> Checked {
        let (lifetime, now) = (self.truth.lifetime(), case.moment.here);
        let life = self.life(case.session).written(&lifetime, write, now);
        let told = case.told.written(&lifetime, write, now);
        let deltas = write.deltas(now);
        match self.engine(case.at).patch(&case.snapshot, &deltas).await {
            Saved::Done(told) => {
                self.check_alive(case, &life)?;
                self.truth.write(case.session, life, case.moment);
                self.check_told(&told, case.session)
            }
            Saved::Lost if self.is_over(&life, case.moment) => self.ended(case).await,
            Saved::Lost => self.check_lost(case).await,
            Saved::Refused(Refusal::TooLarge) => self.check_too_large([&life, &told]),
            other => self.unheard(other),
        }
    }

    /// Renews the session, unless somebody did already.
    pub(super) async fn rotate(&mut self, case: &Case) -> Checked {
        let (lifetime, now) = (self.truth.lifetime(), case.moment.here);
        let is_first = *case.snapshot.id() == self.truth.tales[case.session].id;
        let life = self.life(case.session).renewed(&lifetime, now);
        match self.engine(case.at).rotate(&case.snapshot).await {
            Saved::Done(told) if is_first => {
                self.check_alive(case, &life)?;
                prop_assert!(
                    self.truth.owner(told.id()).is_none(),
                    "an id is given twice"
                );
                self.truth.renew(case.session, (life, &told), case.moment);
                self.check_told(&told, case.session)
            }
            Saved::Done(told) => {
                self.check_alive(case, self.life(case.session))?;
                self.check_told(&told, case.session)
            }
            // The renewal brought no time.
            Saved::Lost if is_first && self.is_over(&life, case.moment) => {
                self.put_down(case).await;
                Ok(())
            }
            Saved::Lost => {
                let is_idle = self.writes() == case.writes;
                prop_assert!(
                    is_idle || !self.is_over(&case.told, case.moment),
                    "a late write"
                );
                self.check_lost(case).await
            }
            other => self.unheard(other),
        }
    }

    /// A change has left the session no life, and so ended it, if it was there.
    pub(super) async fn ended(&mut self, case: &Case) -> Checked {
        match case.expected() {
            Verdict::No => return self.check_lost(case).await,
            Verdict::Perhaps => self.truth.lose(case.session),
            Verdict::Yes => self.truth.end(case.session, case.moment),
        }
        Ok(())
    }

    /// A change is refused, as it would make the session too large, or the snapshot.
    pub(super) fn check_too_large(&self, lives: [&Life; 2]) -> Checked {
        let is_too_large = lives.into_iter().any(|life| self.is_too_large(life));
        prop_assert!(is_too_large, "refused without a reason");
        Ok(())
    }
}
