//! A session changes, or is seen in use.

use abi::storage::Key;

use super::event::{Cause, Event, Refusal};
use super::outcome::{Attempt, Saved, Stop};
use super::rows::contended;
use super::session::Session;
use super::{Engine, TRIES};
use crate::session::{Deltas, Record, State};

impl Engine {
    /// Applies `deltas` to the session that `session` was a snapshot of.
    ///
    /// It happens with the one conditional write of the live row. When somebody else wrote first, the deltas are
    /// applied to what is there now: changes of different attributes all survive, of one attribute the last. A
    /// session that was revoked or is over is [`Saved::Lost`] and never comes back, even if it was ended from elsewhere
    /// and its row still lies there; one that was rotated gets the change under its new id. The life does not change,
    /// unless a delta says so.
    ///
    /// The roster of a session that belongs to somebody is read beside the write, in the same round trip.
    pub async fn patch(&self, session: &Session, deltas: &Deltas) -> Saved {
        self.try_patch(session, deltas, |_| true).await.into()
    }

    /// As [`patch`](Self::patch), and only while the session is as `holds` wants it, up to the write itself. When it is
    /// not any more, nothing is written and the session is in the answer as it is.
    pub async fn patch_while(
        &self,
        session: &Session,
        deltas: &Deltas,
        holds: impl Fn(&Record) -> bool + Send,
    ) -> Saved {
        self.try_patch(session, deltas, holds).await.into()
    }

    /// Writes down that the session is in use. When somebody else wrote at the same moment, that is as good, and the
    /// session is as it was.
    pub async fn touch(&self, session: &Session) -> Saved {
        self.try_touch(session).await.into()
    }

    async fn try_patch(
        &self,
        session: &Session,
        deltas: &Deltas,
        holds: impl Fn(&Record) -> bool + Send,
    ) -> Attempt<Session> {
        let lifetime = &self.policy.lifetime;
        let mut session = self.current(session).await?;
        for _ in 0..TRIES {
            if !holds(&session.record) {
                return Ok(session);
            }
            let record = lifetime.merge(&session.record, deltas);
            self.check_size(&record, session.key())?;
            if lifetime.remaining(&record, self.now()).is_err() {
                session = self.end_unless_newer(session).await?;
                continue;
            }
            if lifetime.ends_at(&record) > lifetime.ends_at(&session.record) {
                self.note(&record, &session.address()).await?;
            }
            let (change, home) = ((&record, &session.record), session.address());
            let told = self.note_less(change, &home).await?;
            let (stored, named) =
                tokio::join!(self.overwrite(&session, record), self.check_named(&session));
            if let Some(stored) = stored? {
                return named.map(|()| stored);
            }
            self.note_as_before(told, (&session.record, &home)).await?;
            session = self.resolve(&session.id).await?.ok_or(Stop::Lost)?;
        }
        Err(contended().into())
    }

    /// The session of a snapshot that has no life left, if it has: somebody may have prolonged it since. If not, it is
    /// over.
    pub(super) async fn end_unless_newer(&self, snapshot: Session) -> Attempt<Session> {
        let current = self.resolve(&snapshot.id).await?.ok_or(Stop::Lost)?;
        if (&current.id, current.version) != (&snapshot.id, snapshot.version) {
            return Ok(current);
        }
        self.end(&snapshot.id, Event::Revoked(Cause::Expiry))
            .await?;
        Err(Stop::Lost)
    }

    /// The snapshot, or what there is now if its time is over: somebody may have prolonged the session since.
    pub(super) async fn current(&self, snapshot: &Session) -> Attempt<Session> {
        let left = self.policy.lifetime.remaining(&snapshot.record, self.now());
        if left.is_ok() {
            return Ok(snapshot.clone());
        }
        self.resolve(&snapshot.id).await?.ok_or(Stop::Lost)
    }

    async fn try_touch(&self, session: &Session) -> Attempt<Session> {
        let (lifetime, now) = (&self.policy.lifetime, self.now());
        let record = lifetime.touch(&session.record, now);
        let is_over = |record| lifetime.remaining(record, now).is_err();
        if is_over(&session.record) || is_over(&record) {
            // Nothing is written: the id of a late request is no sign that its successor is in use.
            return self.resolve(&session.id).await?.ok_or(Stop::Lost);
        }
        self.note(&record, &session.address()).await?;
        let touched = self.overwrite(session, record).await?;
        Ok(touched.unwrap_or_else(|| session.clone()))
    }

    /// The session with `record`, if nobody wrote since.
    async fn overwrite(&self, session: &Session, record: Record) -> Attempt<Option<Session>> {
        let keep = self
            .policy
            .lifetime
            .remaining(&record, self.now())
            .map_err(|_| Stop::Lost)?;
        let (from, state) = (
            (session.address(), session.version),
            State::Live(record.clone()),
        );
        if !self.replace(from, state, keep).await? {
            return Ok(None);
        }
        Ok(Some(Session {
            version: session.version + 1,
            record,
            ..session.clone()
        }))
    }

    pub(super) fn check_size(&self, record: &Record, key: Key) -> Attempt<()> {
        if record.attributes().json_len() > self.policy.max_bytes {
            self.happened(Event::Refused(Refusal::TooLarge), key);
            return Err(Stop::Refused(Refusal::TooLarge));
        }
        Ok(())
    }
}
