//! Lists of secrets that change while sessions live, on gateways that do not all change them at once.

use abi::config::Secret;
use abi::storage::StorageHandle;
use abi::testing::TestGateway;

use super::stage::{Stage, Stepping, Task, interleave};
use super::*;
use crate::session::{Excess, Keyring, Limit, Secrets};
use crate::storage::conformance::block_on;
use crate::storage::{ByteStorage, Encoded};

#[tokio::test]
async fn a_session_is_found_by_whoever_has_its_secret() {
    let world = World::new();
    let session = begin(&world.gateway(&[OLD])).await;

    for list in [&[OLD, NEW], &[NEW, OLD]] {
        let found = find(&world.gateway(list), session.id()).await;
        assert_eq!(found.as_ref(), Some(&session));
    }
    assert_eq!(find(&world.gateway(&[NEW]), session.id()).await, None);
}

#[tokio::test]
async fn a_session_under_an_older_secret_is_due_when_the_grace_of_its_id_is_over() {
    let world = World::new();
    let id = begin(&world.gateway(&[OLD])).await.id().clone();
    let (before, after) = (world.gateway(&[OLD, NEW]), world.gateway(&[NEW, OLD]));
    let look = async |gateway: &Engine| {
        let session = find(gateway, &id).await.unwrap();
        (session.is_newest(), session.is_due())
    };

    assert_eq!(look(&after).await, (false, false));
    world.clock.advance(GRACE);
    assert_eq!(look(&after).await, (false, true));
    assert_eq!(look(&before).await, (true, false));
}

#[tokio::test]
async fn a_renewal_moves_the_session_to_the_newest_secret() {
    let world = World::new();
    let session = begin(&world.gateway(&[OLD])).await;
    world.clock.advance(MINUTE);
    let witness = Arc::new(Witness::default());
    let gateway = world.gateway(&[NEW, OLD]).observed_by(witness.clone());

    let moved = rotate(&gateway, session.id()).await.expect_done();

    assert!(moved.is_newest());
    let expires_at = START.after(MINUTE + HOUR);
    assert_eq!(moved.record().expires_at(), expires_at);
    assert_eq!(witness.seen(), [("renewed", "secret")]);
    let by_the_old_id = find(&gateway, session.id()).await;
    assert_eq!(by_the_old_id.as_ref(), Some(&moved));
    let alone = find(&world.gateway(&[NEW]), moved.id()).await;
    assert_eq!(alone, Some(moved));
}

#[tokio::test]
async fn a_session_that_is_old_enough_gets_a_fresh_life_as_it_moves() {
    let world = World::new();
    let session = begin(&world.gateway(&[OLD])).await;
    world.clock.advance(HALF);

    let moved = rotate(&world.gateway(&[NEW, OLD]), session.id()).await;

    let moved = moved.expect_done();

    assert_eq!(moved.record().expires_at(), START.after(HALF + HOUR));
}

#[tokio::test]
async fn a_session_stays_under_its_secret_while_it_is_only_written() {
    let world = World::new();
    let session = begin(&world.gateway(&[OLD])).await;
    let both = world.gateway(&[NEW, OLD]);
    let found = find(&both, session.id()).await.unwrap();

    let patched = both.patch(&found, &deltas(&[("a", 1)])).await.expect_done();

    assert!(!patched.is_newest());
    assert_eq!(
        find(&world.gateway(&[OLD]), session.id()).await,
        Some(patched)
    );
}

#[tokio::test]
async fn every_operation_reaches_a_session_under_an_older_secret() {
    let world = World::new();
    let old = world.gateway(&[OLD]);
    let both = world.gateway(&[NEW, OLD]);

    let session = begin(&old).await;
    let touched = use_once(&both, session.id()).await;
    assert_eq!(find(&old, session.id()).await.as_ref(), Some(&touched));
    let login = both.regenerate(&touched, &deltas(&[("user_id", 2)])).await;
    assert!(login.expect_done().is_newest());
    assert_eq!(find(&both, session.id()).await, None);

    let session = begin(&old).await;
    assert_eq!(both.revoke(session.id()).await, Revoked::Done);
    assert_eq!(find(&old, session.id()).await, None);
}

#[tokio::test]
async fn a_retired_id_under_a_secret_that_went_leads_nowhere() {
    let world = World::new();
    let session = begin(&world.gateway(&[OLD])).await;
    let moved = rotate(&world.gateway(&[NEW, OLD]), session.id()).await;

    let alone = world.gateway(&[NEW]);

    assert_eq!(find(&alone, session.id()).await, None);
    assert_eq!(alone.revoke(session.id()).await, Revoked::Absent);
    assert!(find(&alone, moved.expect_done().id()).await.is_some());
}

#[tokio::test]
async fn a_rotation_to_a_secret_that_is_not_here_is_not_finished_here() {
    let world = World::new();
    let session = begin(&world.gateway(&[OLD])).await;
    let moved = rotate(&world.gateway(&[NEW, OLD]), session.id()).await;
    let behind = world.gateway(&[OLD]);

    assert_eq!(find(&behind, session.id()).await, None);

    let both = world.gateway(&[NEW, OLD]);
    assert_eq!(
        find(&both, session.id())
            .await
            .map(|found| found.id().clone()),
        Some(moved.expect_done().id().clone())
    );
}

#[tokio::test]
async fn a_principal_is_one_under_all_secrets() {
    let world = World::new();
    let old = begin(&world.gateway(&[OLD])).await;
    let both = world.gateway(&[NEW, OLD]);
    let new = begin(&both).await;
    let moving = begin(&world.gateway(&[OLD])).await;
    let moved = rotate(&both, moving.id()).await.expect_done();

    let mut listed: Vec<_> = both
        .sessions_of("1")
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.family)
        .collect();

    let mut expected = [&old, &new, &moved].map(|session| session.record().family());
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    both.revoke_all("1").await.unwrap();
    for session in [old, new, moving, moved] {
        assert_eq!(find(&both, session.id()).await, None);
    }
}

#[tokio::test]
async fn a_session_that_has_moved_counts_once() {
    let world = World::new();
    let session = begin(&world.gateway(&[OLD])).await;
    let both = world.gateway(&[NEW, OLD]);
    let limit = Some(Limit {
        sessions: 2,
        excess: Excess::EvictOldest,
    });
    let both = Engine {
        policy: Policy {
            limit,
            ..both.policy.clone()
        },
        ..both
    };
    world.clock.advance(MINUTE);
    let moved = rotate(&both, session.id()).await.expect_done();

    let second = begin(&both).await;

    for session in [moved, second] {
        assert!(find(&both, session.id()).await.is_some());
    }
}

#[tokio::test]
async fn a_secret_that_goes_takes_no_session_with_it_that_has_another() {
    let world = World::new();
    let (ahead, behind) = (world.gateway(&[NEW, OLD]), world.gateway(&[OLD, NEW]));
    let resting = begin(&ahead).await;
    let busy = begin(&ahead).await;
    world.clock.advance(MINUTE);

    // The gateway that is behind writes to the roster of both, and takes one of them along.
    use_once(&behind, busy.id()).await;
    rotate(&behind, busy.id()).await.expect_done();

    let alone = world.gateway(&[NEW]);
    assert!(find(&alone, resting.id()).await.is_some());
}

#[test]
fn gateways_that_disagree_about_the_newest_secret_agree_on_the_successor() {
    for_each_order(|seed, stage, [ahead, behind], session| {
        let visit = |gateway| -> Task<'_, _> { Box::pin(visit(gateway, session.id())) };

        let tasks = vec![visit(ahead), visit(behind), visit(ahead), visit(behind)];
        let found: Vec<_> = interleave(seed, tasks).into_iter().flatten().collect();

        assert_eq!(found.len(), 4, "seed {seed}");
        let first = &found[0];
        for other in &found {
            assert_eq!(other.id(), first.id(), "seed {seed}");
        }
        assert_eq!(stage.live(), 1, "seed {seed}");
        for gateway in [ahead, behind] {
            for id in [first.id(), session.id()] {
                assert!(block_on(find(gateway, id)).is_some(), "seed {seed}");
            }
        }
    });
}

#[test]
fn nobody_moves_out_of_the_way_of_a_logout_everywhere() {
    for_each_order(|seed, _, [ahead, behind], session| {
        let by = if seed % 2 == 0 { ahead } else { behind };
        let visit = |gateway| -> Task<'_, _> { Box::pin(visit(gateway, session.id())) };
        let revoke: Task<'_, Option<Session>> = Box::pin(async {
            by.revoke_all("1").await.unwrap();
            None
        });

        let seen = interleave(seed, vec![visit(ahead), revoke, visit(behind)]);

        for found in seen.into_iter().flatten().chain([session.clone()]) {
            for gateway in [ahead, behind] {
                assert_eq!(block_on(find(gateway, found.id())), None, "seed {seed}");
            }
        }
    });
}

async fn rotate(gateway: &Engine, id: &SessionId) -> Saved {
    match find(gateway, id).await {
        Some(session) => gateway.rotate(&session).await,
        None => Saved::Lost,
    }
}

/// What a request does.
async fn visit(gateway: &Engine, id: &SessionId) -> Option<Session> {
    let session = find(gateway, id).await?;
    if !session.is_due() {
        return Some(session);
    }
    match gateway.rotate(&session).await {
        Saved::Done(session) => Some(session),
        Saved::Lost => None,
        other => panic!("{other:?}"),
    }
}

/// Plays a scene in many orders, each time with one session that two gateways would have under different secrets.
fn for_each_order(scene: impl Fn(u64, &Stage, [&Engine; 2], &Session)) {
    let keyrings = [[NEW, OLD], [OLD, NEW]].map(|list| keyring(&list));
    for seed in 0..1000 {
        let stage = Stage::new();
        let engine = |keyring: &Keyring| {
            let rows = Arc::new(Stepping(stage.clone()));
            engine(rows, &stage.clock, keyring.clone())
        };
        let [ahead, behind] = keyrings.each_ref().map(engine);
        let session = block_on(begin(&behind));
        stage.clock.advance(HALF);
        scene(seed, &stage, [&ahead, &behind], &session);
    }
}

/// Some gateways on one storage that keeps bytes.
struct World {
    storage: StorageHandle,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let storage = ByteStorage::new(clock.clone());
        Self {
            storage: StorageHandle::new(Arc::new(storage)),
            clock,
        }
    }

    fn gateway(&self, list: &[&str]) -> Engine {
        let services = TestGateway::new().services();
        let keyring = keyring(list);
        let rows = Encoded::new(self.storage.clone(), "Bytes", keyring.clone(), &services);
        engine(Arc::new(rows), &self.clock, keyring)
    }
}

fn engine(rows: Arc<dyn Rows>, clock: &Arc<ManualClock>, keyring: Keyring) -> Engine {
    let policy = Policy {
        keyring,
        ..policy()
    };
    Engine::new(rows, clock.clone(), policy)
}

fn keyring(list: &[&str]) -> Keyring {
    let secrets: Vec<_> = list.iter().copied().map(Secret::new).collect();
    Keyring::sealed(Secrets::parse(&secrets).unwrap().unwrap())
}

const NEW: &str = "a secret of the tests, long enough to be allowed";
const OLD: &str = "an older one of the tests, also long enough to be";
