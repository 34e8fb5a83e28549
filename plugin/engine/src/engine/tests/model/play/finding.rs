//! Loads and lists.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::script::Disguise;
use super::super::tale::Way;
use super::*;

impl Play {
    /// Comes with an id, and says what was found.
    pub(super) async fn load(
        &mut self,
        at: usize,
        id: &SessionId,
    ) -> Result<Option<Session>, TestCaseError> {
        let moment = self.act(at);
        let found = find(self.engine(at), id).await;
        match self.truth.way(id, moment) {
            Way::Nowhere => prop_assert!(found.is_none(), "an id of nobody leads to a session"),
            Way::Here(session) => {
                self.check_found(session, found.as_ref(), moment)?;
                found
                    .iter()
                    .try_for_each(|found| self.check_due(found, moment))?;
            }
            Way::Onward {
                is_known: Verdict::No,
                ..
            } => prop_assert!(found.is_none(), "a forgotten id leads to a session"),
            Way::Onward {
                session,
                is_known: Verdict::Perhaps,
                ..
            } if found.is_none() => self.look_again(at, session).await,
            Way::Onward {
                session,
                steps,
                is_late,
                ..
            } => {
                let is_theft = is_late && (steps > 1 || self.life(session).is_confirmed());
                match is_theft {
                    true => self.check_stolen(session, found.as_ref(), moment)?,
                    false => self.check_late(session, found.as_ref(), moment)?,
                }
            }
        }
        Ok(found)
    }

    fn check_found(&mut self, session: usize, found: Option<&Session>, moment: Moment) -> Checked {
        let alive = self.truth.is_alive(session, moment);
        self.check_answer(session, alive, found)?;
        found.map_or(Ok(()), |found| self.check_told(found, session))
    }

    /// Somebody came with a retired id who may: in the grace, or because the new one never reached them.
    fn check_late(&mut self, session: usize, found: Option<&Session>, moment: Moment) -> Checked {
        prop_assert_eq!(self.thefts(), 0, "an honest client looks like a thief");
        let is_due = found.is_some_and(|found| found.is_due() || found.is_touch_due());
        prop_assert!(!is_due, "the session was not seen with its new id");
        self.check_found(session, found, moment)
    }

    /// Somebody came with a retired id who may not.
    fn check_stolen(&mut self, session: usize, found: Option<&Session>, moment: Moment) -> Checked {
        prop_assert!(found.is_none(), "a stolen id leads to a session");
        if self.truth.world.policy.revokes_on_reuse {
            let is_loss = self.truth.is_alive(session, moment) == Verdict::Yes;
            prop_assert!(self.thefts() == 1 || !is_loss, "a theft is reported once");
            self.truth.end(session, moment);
        }
        Ok(())
    }

    fn check_due(&self, found: &Session, moment: Moment) -> Checked {
        let (life, lifetime) = (Life::from(found.record()), self.truth.lifetime());
        let age = moment.here.since(life.renewed_at);
        let is_due = lifetime.renew_after.is_some_and(|after| age >= after);
        let unseen = moment.here.since(life.seen_at);
        let is_touch_due = !life.is_confirmed() || unseen >= lifetime.touch_every;
        prop_assert_eq!(
            (found.is_due(), found.is_touch_due()),
            (is_due, is_touch_due)
        );
        Ok(())
    }

    /// Loads, and does what is due.
    pub(super) async fn visit(&mut self, at: usize, id: &SessionId) -> Checked {
        let (Some(found), Some(session)) = (self.load(at, id).await?, self.truth.owner(id)) else {
            return Ok(());
        };
        let deed = match (found.is_due(), found.is_touch_due()) {
            (true, _) => Deed::Rotate,
            (false, true) => Deed::Touch,
            (false, false) => return Ok(()),
        };
        self.act_on(at, &(found, session), &deed).await
    }

    /// An id that was never given leads nowhere, and costs no write.
    pub(super) async fn stranger(&mut self, at: usize, disguise: Disguise) -> Checked {
        self.act(at);
        let Some(id) = self.disguised(disguise) else {
            return Ok(());
        };
        let before = self.writes();
        prop_assert!(find(self.engine(at), &id).await.is_none());
        prop_assert_eq!(self.engine(at).revoke(&id).await, Revoked::Absent);
        prop_assert_eq!(self.writes(), before);
        Ok(())
    }

    fn disguised(&self, disguise: Disguise) -> Option<SessionId> {
        let keyring = &self.engine(0).policy().keyring;
        let key = match disguise {
            Disguise::Random => return SessionId::generate().ok(),
            Disguise::RosterName(user) => keyring.rosters(user).first()?.key(),
            Disguise::RowName(number) => {
                let (id, _) = recent(&self.truth.ids, number)?;
                keyring.address(id).key()
            }
        };
        SessionId::parse(URL_SAFE_NO_PAD.encode(key.as_bytes()).as_bytes())
    }

    /// All sessions of a user and no others, the youngest first.
    pub(super) async fn list(&mut self, at: usize, user: &str) -> Checked {
        let moment = self.act(at);
        let listed = self.engine(at).sessions_of(user).await.unwrap();
        let [surely, perhaps] = self.truth.sessions_of(user, moment);
        let families: Vec<_> = listed.iter().map(|entry| entry.family).collect();
        let is_listed = |&session: &usize| families.contains(&self.life(session).family);
        prop_assert!(surely.iter().all(is_listed), "a session is not listed");
        prop_assert!(listed.is_sorted_by(|one, other| one.created_at >= other.created_at));
        for entry in listed {
            let mut known = surely
                .iter()
                .chain(&perhaps)
                .map(|&session| &self.truth.tales[session]);
            let Some(tale) = known.find(|tale| tale.life.family == entry.family) else {
                return fail("a session is listed that is over");
            };
            prop_assert_eq!(entry.created_at, tale.life.created_at);
            prop_assert!(entry.seen_at >= tale.life.seen_at);
            let end = tale.life.end(&self.truth.lifetime());
            prop_assert!((end..=tale.latest_end).contains(&entry.expires_at));
        }
        Ok(())
    }
}
