//! Somebody has read a session, just now or long ago, and wants to do something to it.

use super::super::tale::Way;
use super::*;

/// What somebody has, and what is true.
pub(super) struct Case {
    pub(super) at: usize,
    pub(super) session: usize,
    pub(super) moment: Moment,
    pub(super) snapshot: Session,
    /// The life that the snapshot tells of.
    pub(super) told: Life,
    /// Whether the id that they have leads to the session.
    pub(super) way: Verdict,
    /// Whether the session is alive.
    pub(super) alive: Verdict,
    /// How many writes there were before.
    pub(super) writes: u64,
}

impl Case {
    /// Whether they reach it alive.
    pub(super) fn expected(&self) -> Verdict {
        self.way.min(self.alive)
    }
}

impl Play {
    pub(super) fn case(&mut self, at: usize, (snapshot, session): &(Session, usize)) -> Case {
        let moment = self.act(at);
        let way = match self.truth.way(snapshot.id(), moment) {
            Way::Nowhere => Verdict::No,
            Way::Here(_) => Verdict::Yes,
            Way::Onward { is_known, .. } => is_known,
        };
        Case {
            at,
            session: *session,
            moment,
            snapshot: snapshot.clone(),
            told: Life::from(snapshot.record()),
            way,
            alive: self.truth.is_alive(*session, moment),
            writes: self.writes(),
        }
    }

    /// They are told that the session is over. If their id leads nowhere, that was all.
    pub(super) async fn check_lost(&mut self, case: &Case) -> Checked {
        match (case.way, case.alive) {
            (Verdict::No, _) => {}
            (Verdict::Yes, Verdict::Yes) => return fail("a living session is lost"),
            (_, Verdict::No) => self.put_down(case).await,
            (Verdict::Perhaps, _) | (_, Verdict::Perhaps) => {
                self.look_again(case.at, case.session).await;
            }
        }
        Ok(())
    }

    /// Nobody could say what was to happen: whether the session is still there is for its own id to say.
    pub(super) async fn look_again(&mut self, at: usize, session: usize) {
        let id = &self.truth.tales[session].id;
        let found = find(self.engine(at), id).await;
        let alive = self.truth.is_alive(session, self.cast.moment(at));
        if found.is_none() && alive != Verdict::No {
            self.truth.lose(session);
        }
    }

    /// Their clock says that the session is over, and others may still use it: it is ended for everybody, so that its
    /// story is clear.
    pub(super) async fn put_down(&mut self, case: &Case) {
        let tale = &self.truth.tales[case.session];
        if !tale.is_over {
            let _ = self.engine(case.at).revoke(&tale.id).await;
            self.truth.end(case.session, case.moment);
        }
    }

    /// They are told of a change to a living session, as it was not over.
    pub(super) fn check_alive(&self, case: &Case, life: &Life) -> Checked {
        prop_assert!(
            case.expected() != Verdict::No,
            "a session that is over goes on"
        );
        prop_assert!(
            !self.is_over(life, case.moment),
            "a session goes on that has no life"
        );
        prop_assert!(!self.is_too_large(life), "too large");
        Ok(())
    }
}
