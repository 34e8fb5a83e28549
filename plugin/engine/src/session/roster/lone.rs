//! The only entry of a roster, as most have it.

use super::Entry;
use crate::session::family::Family;
use crate::session::six_bytes::SixBytes;
use crate::session::timestamp::Timestamp;

/// A session without a device whose clocks are less than seven weeks apart. It lies in the roster itself: most
/// principals have one session, and each of millions would pay for a block of its own.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Lone {
    family: [u8; 8],
    seen_at: SixBytes,
    /// Milliseconds before it was seen.
    age: [u8; 4],
    /// Milliseconds after it was seen.
    rest: [u8; 4],
}

impl Lone {
    /// None when there is more to say. What is too late for six bytes is as late as they say, as in a larger roster: the
    /// same entry would be another one read back.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let times = [entry.created_at, entry.seen_at, entry.expires_at];
        let [created, seen, expires] = times.map(|time| SixBytes::from(time.as_millis()));
        entry.device.is_none().then_some(())?;
        Some(Self {
            family: entry.family.bits().to_le_bytes(),
            seen_at: seen,
            age: between(created, seen)?,
            rest: between(seen, expires)?,
        })
    }

    pub(super) const fn family(&self) -> Family {
        Family::new(u64::from_le_bytes(self.family))
    }

    pub(super) fn entry(&self) -> Entry {
        let seen = self.seen_at.get();
        Entry {
            family: self.family(),
            created_at: Timestamp::from_millis(seen - millis(self.age)),
            seen_at: Timestamp::from_millis(seen),
            expires_at: self.expires_at(),
            device: None,
        }
    }

    pub(crate) fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.seen_at.get() + millis(self.rest))
    }
}

/// None when that is before, or too long after.
fn between(from: SixBytes, to: SixBytes) -> Option<[u8; 4]> {
    let millis = u32::try_from(to.get().checked_sub(from.get())?).ok()?;
    Some(millis.to_le_bytes())
}

fn millis(bytes: [u8; 4]) -> u64 {
    u32::from_le_bytes(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Device;

    #[test]
    fn an_entry_comes_back() {
        let entry = entry();

        assert_eq!(Lone::of(&entry).unwrap().entry(), entry);
    }

    #[test]
    fn what_has_more_to_say_is_not_lone() {
        let entry = entry();
        let at = Timestamp::from_millis;
        let others = [
            Entry {
                device: Device::new(None, Some(b"curl")),
                ..entry.clone()
            },
            Entry {
                created_at: at(entry.created_at.as_millis() - 1),
                ..entry.clone()
            },
            Entry {
                created_at: at(entry.seen_at.as_millis() + 1),
                ..entry.clone()
            },
            Entry {
                expires_at: at(entry.expires_at.as_millis() + 1),
                ..entry.clone()
            },
            Entry {
                expires_at: at(entry.seen_at.as_millis() - 1),
                ..entry.clone()
            },
            Entry {
                seen_at: at(SixBytes::MAX + 1),
                ..entry
            },
        ];

        for other in others {
            assert!(Lone::of(&other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn what_is_beyond_the_last_moment_is_at_it() {
        let at = |millis: [u64; 3]| {
            let [created_at, seen_at, expires_at] = millis.map(Timestamp::from_millis);
            Entry {
                created_at,
                seen_at,
                expires_at,
                ..entry()
            }
        };
        let last = SixBytes::MAX;
        for (millis, kept) in [
            ([last + 1, u64::MAX, last + 2], [last; 3]),
            ([last, last, last + 7], [last; 3]),
            ([last - 5, last - 5, last + 7], [last - 5, last - 5, last]),
        ] {
            let lone = Lone::of(&at(millis)).unwrap();

            assert_eq!(lone.entry(), at(kept));
            assert!(Lone::of(&at(kept)).unwrap() == lone);
        }
    }

    #[test]
    fn it_takes_22_bytes_that_may_lie_anywhere() {
        assert_eq!((size_of::<Lone>(), align_of::<Lone>()), (22, 1));
    }

    /// As old, and with as much before it, as can be said.
    fn entry() -> Entry {
        let seen = 1_764_457_000_000;
        Entry {
            family: Family::new(u64::MAX - 1),
            created_at: Timestamp::from_millis(seen - u64::from(u32::MAX)),
            seen_at: Timestamp::from_millis(seen),
            expires_at: Timestamp::from_millis(seen + u64::from(u32::MAX)),
            device: None,
        }
    }
}
