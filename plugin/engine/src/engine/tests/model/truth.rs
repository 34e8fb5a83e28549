//! What must be true: every session there ever was, every id, and who may still be found through which.

use std::time::Duration;

use super::super::*;
use super::life::Life;
use super::script::{Broom, World};
use super::tale::{Kept, Moment, Retired, Tale, Verdict, Way};

/// The truth about a world. Sessions have numbers, in the order in which they began.
pub(super) struct Truth {
    pub(super) world: World,
    pub(super) tales: Vec<Tale>,
    /// Every id that was ever given, and whose it was.
    pub(super) ids: Vec<(SessionId, usize)>,
    /// Everything that was ever read or stored, and whose it was.
    pub(super) snapshots: Vec<(Session, usize)>,
}

impl Truth {
    pub(super) const fn new(world: World) -> Self {
        Self {
            world,
            tales: Vec::new(),
            ids: Vec::new(),
            snapshots: Vec::new(),
        }
    }

    /// A session begins, as somebody was told.
    pub(super) fn begin(&mut self, life: Life, told: &Session, moment: Moment) -> usize {
        let end = life.end(&self.lifetime());
        let number = self.tales.len();
        self.tales.push(Tale {
            kept: self.kept(&life, moment),
            life,
            id: told.id().clone(),
            version: told.version(),
            retired: Vec::new(),
            is_over: false,
            is_ghost: false,
            latest_end: end,
            latest_use: told.record().seen_at(),
            named_until: moment.reach(end),
        });
        self.ids.push((told.id().clone(), number));
        number
    }

    /// A session is written under the id that it has.
    pub(super) fn write(&mut self, session: usize, life: Life, moment: Moment) {
        self.live(session, life, moment);
        self.tales[session].version += 1;
    }

    /// A session gets the id that somebody was told, and the old one leads to it.
    pub(super) fn renew(&mut self, session: usize, (life, told): (Life, &Session), moment: Moment) {
        let grace = self.world.policy.grace;
        let time = life.left(&self.lifetime(), moment.here).max(grace);
        let tale = &mut self.tales[session];
        tale.retired.push(Retired {
            id: tale.id.clone(),
            until: moment.here.after(grace),
            kept: Kept::from(moment, time),
        });
        self.give(session, (life, told), moment);
    }

    /// A session gets the id that somebody was told, and no other leads to it.
    pub(super) fn replace(
        &mut self,
        session: usize,
        (life, told): (Life, &Session),
        moment: Moment,
    ) {
        self.tales[session].retired.clear();
        self.give(session, (life, told), moment);
    }

    /// A session is ended by a gateway. One to which it was over already leaves it on its roster.
    pub(super) fn end(&mut self, session: usize, moment: Moment) {
        let is_ghost = self.is_alive(session, moment) != Verdict::Yes;
        let tale = &mut self.tales[session];
        if !tale.is_over {
            (tale.is_over, tale.is_ghost) = (true, is_ghost);
        }
    }

    /// A session is ended from elsewhere.
    pub(super) fn strike(&mut self, session: usize) {
        let tale = &mut self.tales[session];
        tale.is_over = true;
    }

    /// A session turns out to be gone, and nobody knows where from.
    pub(super) fn lose(&mut self, session: usize) {
        self.strike(session);
        self.tales[session].is_ghost = true;
    }

    /// Somebody may have ended it.
    pub(super) fn doubt(&mut self, session: usize) {
        self.tales[session].named_until = Timestamp::default();
    }

    /// Somebody tries to prolong a session, and its roster may hear of it even if that fails.
    pub(super) fn announce(&mut self, session: usize, life: &Life) {
        let end = life.end(&self.lifetime());
        let tale = &mut self.tales[session];
        tale.latest_end = tale.latest_end.max(end);
        tale.latest_use = tale.latest_use.max(life.seen_at);
    }

    /// A session that had this end may have an earlier one now, and then its roster knows of no later one any more.
    pub(super) fn shorten(&mut self, session: usize, before: Timestamp) {
        let end = self.end_of(session);
        if end < before {
            self.tales[session].latest_end = end;
        }
    }

    /// When a session ends, if nothing happens before.
    pub(super) fn end_of(&self, session: usize) -> Timestamp {
        self.tales[session].life.end(&self.lifetime())
    }

    /// A gateway acts, and may take off the rosters whoever it thinks over.
    pub(super) fn act(&mut self, moment: Moment) {
        let lifetime = self.lifetime();
        for tale in &mut self.tales {
            let reach = moment.reach(tale.life.end(&lifetime));
            tale.named_until = tale.named_until.min(reach);
        }
    }

    /// Whether a gateway finds the session through the id that it has.
    pub(super) fn is_alive(&self, session: usize, moment: Moment) -> Verdict {
        let tale = &self.tales[session];
        if tale.is_over || tale.life.left(&self.lifetime(), moment.here).is_zero() {
            return Verdict::No;
        }
        let is_doubtful = tale.life.principal().is_some() && moment.truly >= tale.named_until;
        match self.is_kept(tale.kept, moment) {
            Verdict::Yes if is_doubtful => Verdict::Perhaps,
            verdict => verdict,
        }
    }

    /// Whether its roster names the session, as a gateway reads it.
    pub(super) fn is_named(&self, session: usize, moment: Moment) -> Verdict {
        let tale = &self.tales[session];
        let may_be = tale.latest_end > moment.here && (!tale.is_over || tale.is_ghost);
        match self.is_alive(session, moment) {
            Verdict::No if may_be => Verdict::Perhaps,
            verdict => verdict,
        }
    }

    /// Where an id leads.
    pub(super) fn way(&self, id: &SessionId, moment: Moment) -> Way {
        let Some(session) = self.owner(id) else {
            return Way::Nowhere;
        };
        let tale = &self.tales[session];
        if tale.id == *id {
            return Way::Here(session);
        }
        let Some(place) = tale.retired.iter().position(|retired| retired.id == *id) else {
            return Way::Nowhere;
        };
        let behind = &tale.retired[place..];
        let is_known = behind
            .iter()
            .map(|retired| self.is_remembered(retired.kept, moment));
        Way::Onward {
            session,
            steps: behind.len(),
            is_late: behind.iter().any(|retired| retired.until <= moment.here),
            is_known: is_known.min().unwrap_or(Verdict::No),
        }
    }

    /// Whose id it is or was.
    pub(super) fn owner(&self, id: &SessionId) -> Option<usize> {
        let known = self.ids.iter().find(|(known, _)| known == id);
        known.map(|(_, session)| *session)
    }

    /// The sessions that a user has: those of which it is sure, and those of which it is not.
    pub(super) fn sessions_of(&self, user: &str, moment: Moment) -> [Vec<usize>; 2] {
        [Verdict::Yes, Verdict::Perhaps].map(|verdict| {
            let sessions = (0..self.tales.len()).filter(|&session| self.belongs_to(session, user));
            sessions
                .filter(|&session| self.is_named(session, moment) == verdict)
                .collect()
        })
    }

    pub(super) fn belongs_to(&self, session: usize, user: &str) -> bool {
        self.tales[session].life.principal().as_deref() == Some(user)
    }

    pub(super) const fn lifetime(&self) -> Lifetime {
        self.world.policy.lifetime
    }

    fn give(&mut self, session: usize, (life, told): (Life, &Session), moment: Moment) {
        self.live(session, life, moment);
        let tale = &mut self.tales[session];
        (tale.id, tale.version) = (told.id().clone(), told.version());
        self.ids.push((told.id().clone(), session));
    }

    /// The roster is written if that is news to it.
    fn live(&mut self, session: usize, life: Life, moment: Moment) {
        let (kept, end) = (self.kept(&life, moment), life.end(&self.lifetime()));
        let tale = &mut self.tales[session];
        if end > tale.latest_end || life.seen_at > tale.latest_use {
            tale.named_until = moment.reach(end);
        }
        self.announce(session, &life);
        let tale = &mut self.tales[session];
        (tale.life, tale.kept) = (life, kept);
    }

    fn kept(&self, life: &Life, moment: Moment) -> Kept {
        Kept::from(moment, life.left(&self.lifetime(), moment.here))
    }

    fn is_kept(&self, kept: Kept, moment: Moment) -> Verdict {
        match self.world.broom {
            Broom::Asleep => Verdict::Yes,
            Broom::Punctual if moment.stored < kept.until => Verdict::Yes,
            Broom::Punctual => Verdict::No,
            Broom::Remote if kept.time >= MARGIN => Verdict::Yes,
            Broom::Remote => Verdict::Perhaps,
        }
    }

    /// As [`is_kept`](Self::is_kept), with the surplus that the row of a retired id has.
    fn is_remembered(&self, kept: Kept, moment: Moment) -> Verdict {
        let surplus = Kept {
            until: kept.until.after(SURPLUS),
            ..kept
        };
        match [kept, surplus].map(|kept| self.is_kept(kept, moment)) {
            [Verdict::No, Verdict::Yes] => Verdict::Perhaps,
            [verdict, _] => verdict,
        }
    }
}

// Longer than any of these plays takes.
const MARGIN: Duration = Duration::from_secs(600);
const SURPLUS: Duration = Duration::from_secs(10);
