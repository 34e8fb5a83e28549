//! How often a request asks for memory: not at all for crossing the boundary, and a known number of times for its
//! session. And how much memory a stored session keeps. A number that grows here is a price that everybody pays.
//!
//! The middlewares here are linked in, so that both sides of each table use the allocator that counts. A library has its
//! own.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "benches/desk.rs"]
mod desk;
#[path = "benches/exchange.rs"]
mod exchange;
#[path = "benches/growth/kind.rs"]
mod kind;
#[path = "benches/login.rs"]
mod login;
#[path = "fixtures/stamp/src/stamp.rs"]
mod stamp;
#[path = "benches/visit.rs"]
mod visit;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use abi::config::ByteSize;
use abi::handle::MiddlewareHandle;
use abi::services::Services;
use abi::session::Attribute;
use abi::storage::Storage as _;
use abi::testing::wait;
use abi::{Entry, Exchange, Failure, Flow, HeaderName, Maybe, Middleware, Side};
use allocation_counter::measure;
use engine::clock::SystemClock;
use engine::cookie::{Candidates, CookieName, strip};
use engine::middlewares::{LoadSessionMiddleware, MapSessionToHeaderMiddleware};
use engine::session::Keyring;
use engine::session::{Attributes, Device, Family, Lifetime, Roster, Timestamp};
use engine::storage::server::RedisServer;
use engine::storage::{MemoryConfig, MemoryStorage, Storages};
use engine::{Engine, Policy};
use serde_json::{Value, json};

use self::desk::Desk;
use self::exchange::{InFlight, cookie_header};
use self::kind::{MEMBERS, STRANGERS, USERS, VISITORS, create};
use self::login::logged_in;
use self::stamp::{Idle, Stamp};
use self::visit::{load_config, map_config, pass};

#[test]
fn a_call_crosses_without_an_allocation() {
    let chain = [MiddlewareHandle::new(Idle)];
    let mut exchange = InFlight::new(&Desk::default(), None);

    assert_eq!(allocations(&chain, &mut exchange), 0);
}

#[test]
fn facts_headers_and_two_words_of_state_cross_without_an_allocation() {
    let desk = Desk::default();
    let cookie = desk.services().header("cookie").unwrap();
    let chain = [MiddlewareHandle::new(Reader { cookie })];
    let mut exchange = InFlight::new(&desk, Some(&cookie_header("sid=abc")));

    assert_eq!(allocations(&chain, &mut exchange), 0);
}

#[test]
fn a_header_that_is_set_allocates_its_value_only() {
    let desk = Desk::default();
    let chain = [MiddlewareHandle::new(stamp(&desk.services()))];
    let mut exchange = InFlight::new(&desk, Some(&cookie_header("sid=abc")));

    assert_eq!(allocations(&chain, &mut exchange), 2, "it sets two");
}

#[test]
fn a_visitor_without_a_session_costs_two_allocations() {
    let desk = Desk::default();
    let chain = middlewares(&desk);
    let mut newcomer = InFlight::new(&desk, None);
    let mut stranger = InFlight::new(&desk, Some(&cookie_header("sid=abc")));

    // The session that could begin here, and what the client calls itself: a list would say so.
    assert_eq!(allocations(&chain, &mut newcomer), 2);
    assert_eq!(allocations(&chain, &mut stranger), 2);
}

#[test]
fn a_session_in_memory_costs_six_allocations() {
    let desk = Desk::default();
    let chain = middlewares(&desk);
    let mut exchange = logged_in(&desk, &chain[0]);

    let loaded = allocations(&chain[..1], &mut exchange);
    let mapped = allocations(&chain, &mut exchange) - loaded;

    // The session, the cookie without its key, and that as a value again. Loading the row takes none.
    assert_eq!(loaded, 3);
    assert_eq!(
        mapped, 3,
        "the values of two headers, and of one for caches"
    );
    assert!(exchange.headers(Side::Request).contains_key("x-user-id"));
}

#[test]
fn a_session_of_which_a_copy_is_kept_costs_what_one_in_memory_costs() {
    let (desk, redis) = (Desk::default(), RedisServer::start());
    let clock = Arc::new(SystemClock::new());
    let storages = Storages::new(desk.services(), clock.clone(), Arc::default());
    let storage = storages.redis("Redis", &redis.config()).unwrap();
    wait(storage.probe()).unwrap();
    let open = |keyring: &Keyring| storages.find(Some("Redis"), keyring);
    let config = serde_json::from_value(load_config()).unwrap();
    let entry = Entry { name: "Load" };
    let load = LoadSessionMiddleware::new(entry, &config, open, clock, &desk.services());
    let chain = [MiddlewareHandle::new(load.unwrap())];
    let mut exchange = logged_in(&desk, &chain[0]);

    assert_eq!(allocations(&chain, &mut exchange), 3);
}

#[test]
fn the_cookie_is_found_without_an_allocation_and_stripped_with_one() {
    let name = CookieName::parse("session_id").unwrap();
    let header = cookie_header("session_id=abc");
    let other = cookie_header("sid=abc");

    let find = || Candidates::of([header.as_bytes()], &name).count();

    assert_eq!(count(|| assert_eq!(find(), 1)), 0);
    assert_eq!(count(|| drop(strip(other.as_bytes(), &name))), 0);
    assert_eq!(count(|| drop(strip(header.as_bytes(), &name))), 1);
}

#[test]
fn an_attribute_is_read_without_an_allocation() {
    let session = json!({ "visits": 7, "roles": ["reader"], "user": { "id": 1, "name": "Anna" } });
    let attributes: Attributes = serde_json::from_value(session).unwrap();

    for path in ["visits", "roles", "user", "user.id", "user.name"] {
        let read = || {
            attributes.view().lend(path, |attribute| {
                assert_ne!(black_box(attribute), Attribute::Flag(true))
            })
        };
        assert_eq!(count(read), 0, "{path}");
    }
}

#[test]
fn a_visitor_costs_at_most_110_bytes_beyond_the_json() {
    for kind in [VISITORS, STRANGERS] {
        let beyond = beyond_json(kind.attributes);
        assert!(beyond <= 110, "{}: {beyond}", kind.name);
    }
}

#[test]
fn a_user_costs_at_most_200_bytes_beyond_the_json_and_175_for_each_further_session() {
    for kind in [MEMBERS, USERS] {
        let first = beyond_json(kind.attributes);
        let of_ten = beyond_json(|number| (kind.attributes)(number / 10));
        assert!(first <= 200, "{}: {first}", kind.name);
        assert!(10 * of_ten - first <= 9 * 175, "{}: {of_ten}", kind.name);
    }
}

#[test]
fn a_device_on_a_roster_costs_its_text_and_5_bytes_and_no_block() {
    let agent = [b'a'; 111];
    let device = Device::new("192.0.2.7".parse().ok(), Some(&agent));

    let [without, with] = [None, device].map(|device| {
        // Three heads end at a multiple of eight bytes.
        let entries = [on_roster(7, None), on_roster(8, None), on_roster(9, device)];
        let mut roster = None;
        let kept = measure(|| roster = Some(Roster::from_iter(entries.clone())));
        assert!(roster.is_some());
        (kept.bytes_current, kept.count_current)
    });

    // Blocks are multiples of eight bytes.
    let device = (111 + 5 + 7) / 8 * 8;
    assert_eq!((with.0 - without.0, with.1), (device, without.1));
}

#[test]
fn counter_counts() {
    assert_eq!(count(|| drop(black_box(Box::new(1)))), 1);
}

/// Of a request that is not the first: that one may fill what is kept for ever.
fn allocations(chain: &[MiddlewareHandle], exchange: &mut InFlight) -> u64 {
    pass(chain, exchange);
    exchange.arrive();
    count(|| pass(chain, exchange))
}

/// What a session in memory takes besides what is in it, in bytes.
fn beyond_json(attributes: impl Fn(usize) -> Value) -> usize {
    let clock = Arc::new(SystemClock::new());
    let rows = MemoryStorage::open(&ROOM, clock.clone()).unwrap();
    let policy = Policy::new(Lifetime::new(Duration::from_secs(3600), None));
    let engine = Engine::new(Arc::new(rows), clock, policy);
    let (mut json, mut taken, mut blocks) = (0, 0, 0);
    for number in 0..SESSIONS {
        let attributes = attributes(number);
        json += attributes.to_string().len();
        let memory = measure(|| {
            create(&engine, &attributes);
        });
        taken += memory.bytes_current;
        blocks += memory.count_current;
    }
    (taken + blocks * ROUNDING) as usize / SESSIONS - json / SESSIONS
}

fn on_roster(family: u64, device: Option<Device>) -> engine::session::Entry {
    engine::session::Entry {
        family: Family::new(family),
        created_at: Timestamp::default(),
        seen_at: Timestamp::default(),
        expires_at: Timestamp::default(),
        device,
    }
}

fn count(work: impl FnOnce()) -> u64 {
    measure(work).count_total
}

fn stamp(services: &Services) -> Stamp<HeaderName> {
    let [cookie, user, role] = ["cookie", "x-user", "x-role"].map(|name| services.header(name));
    Stamp {
        cookie: cookie.unwrap(),
        user: user.unwrap(),
        role: role.unwrap(),
    }
}

/// Those of session.so.
fn middlewares(desk: &Desk) -> [MiddlewareHandle; 2] {
    let clock = Arc::new(SystemClock::new());
    let rows = MemoryStorage::open(&MemoryConfig::default(), clock.clone()).unwrap();
    let config = serde_json::from_value(load_config()).unwrap();
    let (entry, services) = (Entry { name: "Load" }, desk.services());
    let load = LoadSessionMiddleware::new(
        entry,
        &config,
        |_| Ok(Arc::new(rows).into()),
        clock,
        &services,
    );
    let config = serde_json::from_value(map_config()).unwrap();
    let map = MapSessionToHeaderMiddleware::new(config, &services);
    [
        MiddlewareHandle::new(load.unwrap()),
        MiddlewareHandle::new(map.unwrap()),
    ]
}

const SESSIONS: usize = 20_000;
/// Enough for as many rosters too, and no more shards than so many rows fill.
const ROOM: MemoryConfig = MemoryConfig {
    max_entries: 50_000,
    max_bytes: ByteSize::of_bytes(1 << 30),
};
/// What the system's allocator adds to a block: a header of 8 bytes, and 4 on average to a multiple of 16, as every
/// block here is one of 8.
const ROUNDING: i64 = 12;

/// Reads what it can and remembers a little.
struct Reader {
    cookie: HeaderName,
}

impl Middleware for Reader {
    type State = (usize, usize);

    fn on_request<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> Maybe<'a, Result<Flow<Self::State>, Failure>> {
        let cookie = exchange.header(Side::Request, self.cookie);
        let facts = [
            exchange.method(),
            exchange.path(),
            exchange.host(),
            exchange.route(),
        ];
        let seen = facts.map(str::len).iter().sum();
        Maybe::Ready(Ok(Flow::Next((seen, cookie.map_or(0, <[u8]>::len)))))
    }

    fn on_response<'a>(
        &'a self,
        mut exchange: Exchange<'a>,
        seen: Self::State,
    ) -> Maybe<'a, Result<(), Failure>> {
        assert_eq!(seen, ("GET/dashboardshop.example/dashboard".len(), 200));
        exchange.remove_header(Side::Response, self.cookie);
        Maybe::Ready(Ok(()))
    }
}
