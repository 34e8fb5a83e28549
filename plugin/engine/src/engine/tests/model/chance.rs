//! Scripts by chance. What they are made of are the lengths that rules have, so that instants meet.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::super::Policy;
use super::script::{Broom, Change, Deed, Disguise, Errand, Script, Step, World, Write};
use crate::session::{Excess, Lifetime, Limit, Timestamp};

/// Worlds whose storage sweeps like this, with a history of at most so many steps.
pub(super) fn scripts(
    broom: impl Strategy<Value = Broom>,
    steps: usize,
) -> impl Strategy<Value = Script> {
    (worlds(broom), vec(step(), 1..=steps)).prop_map(|(world, steps)| Script { world, steps })
}

fn worlds(broom: impl Strategy<Value = Broom>) -> impl Strategy<Value = World> {
    (policies(), select(STARTS.to_vec()), broom, skews()).prop_map(
        |(policy, start, broom, skews)| World {
            policy,
            start,
            broom,
            skews,
        },
    )
}

fn policies() -> impl Strategy<Value = Policy> {
    let excess = select(vec![Excess::EvictOldest, Excess::Refuse]);
    let limit = (1..4_usize, excess).prop_map(|(sessions, excess)| Limit { sessions, excess });
    (
        lifetimes(),
        select(vec![Duration::ZERO, MILLI, 10 * SECOND, 5 * MINUTE]),
        prop::bool::weighted(0.8),
        option::of(limit),
        prop_oneof![2 => Just(65_536_usize), 1 => Just(150)],
    )
        .prop_map(
            |(lifetime, grace, revokes_on_reuse, limit, max_bytes)| Policy {
                grace,
                revokes_on_reuse,
                limit,
                max_bytes,
                ..Policy::new(lifetime)
            },
        )
}

fn lifetimes() -> impl Strategy<Value = Lifetime> {
    (
        select(vec![SECOND, MINUTE, HOUR, 2 * HOUR, DAY, 30 * DAY]),
        option::of(select(vec![Duration::ZERO, SECOND, MINUTE, HOUR / 2, DAY])),
        prop::bool::weighted(0.7),
        option::of(select(vec![MINUTE, 2 * HOUR, 7 * DAY])),
        option::of(select(vec![SECOND, MINUTE, HOUR / 4])),
        option::of(select(vec![HOUR, 30 * DAY, 365 * DAY])),
        select(vec![Duration::ZERO, SECOND, MINUTE]),
    )
        .prop_map(
            |(life, renew_after, is_sliding, absolute, idle, remembered, touch_every)| Lifetime {
                life,
                renew_after,
                is_sliding,
                absolute,
                idle,
                remembered,
                touch_every,
            },
        )
}

/// Half of all worlds have clocks that agree, so that every answer is known exactly.
fn skews() -> impl Strategy<Value = Option<[i64; 3]>> {
    option::of(prop::array::uniform3(skew()))
}

fn skew() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), -2_000..2_000_i64, -AN_HOUR..AN_HOUR]
}

fn step() -> impl Strategy<Value = Step> {
    let short_by = select(vec![Duration::ZERO, MILLI, SECOND]);
    prop_oneof![
        4 => (recent(), short_by).prop_map(|(session, short_by)| Step::Approach { session, short_by }),
        21 => (gateway(), recent(), errand()).prop_map(|(at, id, errand)| Step::Come { at, id, errand }),
        5 => (gateway(), login()).prop_map(|(at, write)| Step::Create { at, write }),
        24 => (gateway(), recent(), deed()).prop_map(|(at, snapshot, deed)| Step::Do { at, snapshot, deed }),
        2 => (gateway(), skew()).prop_map(|(at, millis)| Step::Jump { at, millis }),
        2 => (gateway(), user()).prop_map(|(at, user)| Step::List { at, user }),
        8 => passing().prop_map(Step::Pass),
        1 => (gateway(), user()).prop_map(|(at, user)| Step::RevokeAll { at, user }),
        1 => (gateway(), user(), recent()).prop_map(|(at, user, session)| Step::RevokeOne { at, user, session }),
        1 => (gateway(), disguise()).prop_map(|(at, disguise)| Step::Stranger { at, disguise }),
    ]
}

fn errand() -> impl Strategy<Value = Errand> {
    prop_oneof![
        10 => Just(Errand::Load),
        1 => Just(Errand::Revoke),
        10 => Just(Errand::Visit),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => write().prop_map(Deed::Patch),
        2 => write().prop_map(Deed::Regenerate),
        2 => login().prop_map(Deed::Regenerate),
        1 => Just(Deed::RevokeOthers),
        6 => Just(Deed::Rotate),
        5 => Just(Deed::Touch),
    ]
}

fn disguise() -> impl Strategy<Value = Disguise> {
    prop_oneof![
        Just(Disguise::Random),
        recent().prop_map(Disguise::RowName),
        user().prop_map(Disguise::RosterName),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    vec(change(), 0..3).prop_map(Write)
}

/// Changes with which somebody may become somebody else.
fn login() -> impl Strategy<Value = Write> {
    let who = prop_oneof![
        6 => user().prop_map(|user| Change::Set("user_id".into(), user.into())),
        1 => Just(Change::Delete("user_id".into())),
        1 => Just(Change::Set("user_id".into(), Value::Null)),
    ];
    (vec(change(), 0..3), who).prop_map(|(mut changes, who)| {
        changes.push(who);
        Write(changes)
    })
}

/// A change that leaves the session to whom it belongs.
fn change() -> impl Strategy<Value = Change> {
    let life = prop_oneof![
        1 => Just(Duration::ZERO),
        9 => select(vec![MILLI, SECOND, MINUTE, HOUR, DAY, 30 * DAY]),
    ];
    let ago = prop_oneof![3 => Just(Duration::ZERO), 1 => Just(SECOND)];
    prop_oneof![
        6 => ("[abc]", 0..9_i32).prop_map(|(name, value)| Change::Set(name, value.into())),
        2 => "[abc]".prop_map(Change::Delete),
        2 => any::<bool>().prop_map(|remember| Change::Set("remember_me".into(), remember.into())),
        2 => (0..200_usize).prop_map(|bytes| Change::Set("blob".into(), "x".repeat(bytes).into())),
        1 => (life, ago).prop_map(|(after, ago)| Change::Expire { after, ago }),
    ]
}

/// A length, or a millisecond more or less.
fn passing() -> impl Strategy<Value = Duration> {
    let length = select(vec![
        MILLI,
        SECOND,
        10 * SECOND,
        MINUTE,
        HOUR / 4,
        HOUR / 2,
        HOUR,
        DAY,
    ]);
    (length, 0..3_u32).prop_map(|(length, by)| (length + by * MILLI).saturating_sub(MILLI))
}

fn gateway() -> impl Strategy<Value = usize> {
    0..3_usize
}

fn recent() -> impl Strategy<Value = usize> {
    prop_oneof![5 => 0..4_usize, 1 => 0..1000_usize]
}

fn user() -> impl Strategy<Value = &'static str> {
    select(vec!["anna", "ben"])
}

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const AN_HOUR: i64 = 3_600_000;

/// 2023, and an hour before seconds since 1970 need 32 bits and 33 bits.
const STARTS: [Timestamp; 3] = [
    Timestamp::from_millis(1_700_000_000_000),
    Timestamp::from_millis((1 << 31) * 1000 - AN_HOUR as u64),
    Timestamp::from_millis((1 << 32) * 1000 - AN_HOUR as u64),
];
