//! A session gets an id that has nothing to do with the old one: at login, and whenever rights change.

use super::event::{Change, Event};
use super::outcome::{Attempt, Saved, Stop};
use super::revocations::Ended;
use super::rows::{Place, contended};
use super::session::Session;
use super::{Engine, TOMBSTONE, TRIES};
use crate::session::{Deltas, Family, Record, State};

impl Engine {
    /// Moves the session, with `deltas` applied, to a fresh random id with a fresh life. The old id is dead when this
    /// returns [`Saved::Done`]: no grace, or whoever planted the old id would share the login (fixation).
    ///
    /// When the deltas name the principal, that is a login, also of who it was before: the session begins anew, with what a
    /// visitor or the same user has gathered and without what another user has left. It takes the place of the old one
    /// under the limit. If the old one was ended meanwhile, the login begins without its data. When they leave nobody, the
    /// user has gone, and what begins is the session of a visitor with what the deltas set.
    ///
    /// The new row is written first, under an id that nobody knows, and joins the roster of its principal; it happens
    /// with the tombstone over the old row. Whatever was written to the old row until then is carried over.
    pub async fn regenerate(&self, session: &Session, deltas: &Deltas) -> Saved {
        let change = self.change(&session.record, deltas);
        let attempt = match self.try_regenerate(session, (deltas, change)).await {
            Err(Stop::Lost) if change == Change::Login => {
                let replaced = Some(session.record.family());
                self.try_create(deltas, replaced).await
            }
            attempt => attempt,
        };
        if let Ok(session) = &attempt {
            self.happened(Event::Rotated(change), session.key());
        }
        attempt.into()
    }

    async fn try_regenerate(
        &self,
        session: &Session,
        (deltas, change): (&Deltas, Change),
    ) -> Attempt<Session> {
        let place = self.place(self.new_id()?);
        let family = match self.policy.principals(&session.record, deltas) {
            [before, after] if change == Change::Rights && before == after => {
                session.record.family()
            }
            _ => self.new_family()?,
        };
        let old = self.current(session).await?;
        // What was ended from elsewhere leaves nothing to whoever logs in.
        self.note(&old.record, &old.address()).await?;
        let mut draft = None;
        let attempt = self
            .replace_session((&place, family), old, (deltas, &mut draft))
            .await;
        if let (Err(Stop::Lost | Stop::Refused(_)), Some((version, record))) = (&attempt, draft) {
            self.retract((&place, version), (&session.record, &record))
                .await?;
        }
        attempt
    }

    /// Writes the new row, the `draft`, and a tombstone over the old one; again and again, until the draft holds what
    /// the old row held last.
    async fn replace_session(
        &self,
        (place, family): (&Place, Family),
        mut old: Session,
        (deltas, draft): (&Deltas, &mut Option<(u64, Record)>),
    ) -> Attempt<Session> {
        let mut version = 1;
        for _ in 0..TRIES {
            let record = self.successor((place, family), &old, deltas);
            let record = record.await?;
            if self.policy.lifetime.remaining(&record, self.now()).is_err() {
                old = self.end_unless_newer(old).await?;
                continue;
            }
            self.put_successor((place, version), &record).await?;
            if family != old.record.family() {
                match version {
                    1 => {
                        let replaced = Some(old.record.family());
                        self.join(place, (&record, deltas.device()), replaced)
                            .await?;
                    }
                    // What it joined with may have had another end.
                    _ => self.note(&record, &place.address).await?,
                }
            }
            *draft = Some((version, record.clone()));
            let told = self
                .note_less((&record, &old.record), &place.address)
                .await?;
            if self
                .replace((old.address(), old.version), State::Revoked, TOMBSTONE)
                .await?
            {
                self.remember(Ended::Row(old.address()));
                if old.record.family() != family {
                    self.strike(&old.record, &old.address()).await;
                }
                let place = place.clone();
                return self.session(place, version, record).map_err(|_| Stop::Lost);
            }
            self.note_as_before(told, (&record, &place.address)).await?;
            old = self.resolve(&old.id).await?.ok_or(Stop::Lost)?;
            version += 1;
        }
        Err(contended().into())
    }

    /// What the new row holds. A session that goes on must be on its roster still; one that begins joins it later.
    async fn successor(
        &self,
        (place, family): (&Place, Family),
        old: &Session,
        deltas: &Deltas,
    ) -> Attempt<Record> {
        let (lifetime, now) = (&self.policy.lifetime, self.now());
        if family != old.record.family() {
            let begun = match self.policy.takes_from_user(&old.record, deltas) {
                true => lifetime.begin(family, now),
                false => lifetime.begin_again(&old.record, family, now),
            };
            return self.belonging(lifetime.merge(&begun, deltas), place.address.key());
        }
        let renewed = lifetime.merge(&lifetime.renew(&old.record, now), deltas);
        self.check_size(&renewed, place.address.key())?;
        self.move_home(renewed, (&old.address(), &place.address))
            .await
    }

    async fn put_successor(&self, (place, version): (&Place, u64), record: &Record) -> Attempt<()> {
        let keep = self
            .policy
            .lifetime
            .remaining(record, self.now())
            .map_err(|_| Stop::Lost)?;
        let state = State::Live(record.clone());
        let written = match version {
            1 => self.add(place.address, state, keep).await?,
            _ => {
                self.replace((place.address, version - 1), state, keep)
                    .await?
            }
        };
        if written {
            Ok(())
        } else {
            Err(contended().into())
        }
    }

    fn change(&self, old: &Record, deltas: &Deltas) -> Change {
        match self.policy.principals(old, deltas) {
            [_, Some(_)] if self.policy.names_user(deltas) => Change::Login,
            _ => Change::Rights,
        }
    }

    /// Takes back a row that nobody was told of. A session that goes on under an id that somebody else gave it stays on
    /// its roster.
    async fn retract(
        &self,
        (place, version): (&Place, u64),
        (old, record): (&Record, &Record),
    ) -> Attempt<()> {
        self.replace((place.address, version), State::Revoked, TOMBSTONE)
            .await?;
        if record.family() != old.family() {
            self.strike(record, &place.address).await;
        }
        Ok(())
    }
}
