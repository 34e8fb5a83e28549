//! Sessions that are ended, from where they are and from elsewhere.

use super::super::tale::Way;
use super::*;

impl Play {
    pub(super) async fn revoke(&mut self, at: usize, id: &SessionId) -> Checked {
        let moment = self.act(at);
        let is_done = self.engine(at).revoke(id).await == Revoked::Done;
        let (session, way) = match self.truth.way(id, moment) {
            Way::Nowhere => return Ok(()),
            Way::Here(session) => (session, Verdict::Yes),
            Way::Onward {
                session, is_known, ..
            } => (session, is_known),
        };
        let expected = way.min(self.truth.is_alive(session, moment));
        prop_assert!(
            is_done || expected != Verdict::Yes,
            "a living session is not ended"
        );
        if is_done || way == Verdict::Yes {
            self.truth.end(session, moment);
        }
        Ok(())
    }

    pub(super) async fn revoke_one(
        &mut self,
        at: usize,
        (user, session): (&str, usize),
    ) -> Checked {
        let moment = self.act(at);
        let family = self.life(session).family;
        let revoked = self.engine(at).revoke_one(user, family).await;
        if !self.truth.belongs_to(session, user) {
            prop_assert_eq!(revoked, Revoked::Absent);
        } else if revoked == Revoked::Done {
            prop_assert!(
                self.truth.is_named(session, moment) != Verdict::No,
                "it ends twice"
            );
            self.truth.strike(session);
        } else {
            let alive = self.truth.is_alive(session, moment);
            self.check_answer(session, alive, None)?;
        }
        Ok(())
    }

    pub(super) async fn revoke_others(&mut self, case: &Case) -> Checked {
        let revoked = self.engine(case.at).revoke_others(&case.snapshot).await;
        match self.life(case.session).principal() {
            Some(user) => self.revoked(revoked, (&user, Some(case.session)), case.moment),
            None => {
                prop_assert_eq!(revoked, Ok(0));
                Ok(())
            }
        }
    }

    pub(super) async fn revoke_all(&mut self, at: usize, user: &str) -> Checked {
        let moment = self.act(at);
        let revoked = self.engine(at).revoke_all(user).await;
        self.revoked(revoked, (user, None), moment)
    }

    /// So many sessions of a user are over, all but one.
    fn revoked(
        &mut self,
        revoked: Result<usize, Unavailable>,
        (user, spared): (&str, Option<usize>),
        moment: Moment,
    ) -> Checked {
        let of_user = self.truth.sessions_of(user, moment);
        let [surely, perhaps] = of_user.map(|mut sessions| {
            sessions.retain(|&session| Some(session) != spared);
            sessions
        });
        let most = surely.len() + perhaps.len();
        prop_assert!(revoked.is_ok_and(|count| (surely.len()..=most).contains(&count)));
        for session in surely.into_iter().chain(perhaps) {
            match self.truth.is_alive(session, moment) {
                Verdict::No => self.truth.doubt(session),
                Verdict::Perhaps | Verdict::Yes => self.truth.strike(session),
            }
        }
        Ok(())
    }
}
