//! The cache in every order of steps that a checker comes upon.
//!
//! A connection is modelled as what it is: a queue of messages in the order in which the server did things. Answers and
//! news share one, or each has its own, as where every thread asks for itself.

use std::collections::VecDeque;

use shuttle::future::block_on;
use shuttle::sync::{Mutex, RwLock};
use shuttle::thread;
use tokio::sync::oneshot;

use super::*;

#[test]
fn no_order_of_steps_leaves_an_outdated_copy_or_goes_back_in_time() {
    shuttle::check_random(|| play([0, 0]), 2000);
    shuttle::check_random(|| play([0, 1]), 2000);
}

#[test]
fn no_unlikely_order_of_steps_does_either() {
    shuttle::check_pct(|| play([0, 0]), 2000, 4);
    shuttle::check_pct(|| play([0, 1]), 2000, 4);
}

/// Two readers, a writer behind the same cache, a writer elsewhere, and connections that break. `ways` are the queues
/// of answers and of news.
fn play(ways: [usize; 2]) {
    let stage = Arc::new(Stage::new(ways));
    let connections = [0, 1].map(|way| {
        let stage = Arc::clone(&stage);
        thread::spawn(move || stage.wire.deliver_all(way))
    });
    let cast = [
        act(&stage, |stage| stage.read(3)),
        act(&stage, |stage| stage.read(2)),
        act(&stage, Stage::write),
        act(&stage, |stage| {
            (0..2).for_each(|_| stage.wire.write_elsewhere());
        }),
        act(&stage, Stage::break_down),
    ];
    cast.into_iter().for_each(|actor| actor.join().unwrap());
    stage.wire.hang_up();
    connections.into_iter().for_each(|end| end.join().unwrap());

    stage.copy_is_the_row();
}

fn act(stage: &Arc<Stage>, act: impl FnOnce(&Stage) + Send + 'static) -> thread::JoinHandle<()> {
    let stage = Arc::clone(stage);
    thread::spawn(move || act(&stage))
}

struct Stage {
    wire: Arc<Wire>,
    cache: Cached<Arc<Wire>, RwLock<Shard>>,
    ear: Mutex<Ear>,
    _gateway: TestGateway,
}

impl Stage {
    fn new(ways: [usize; 2]) -> Self {
        let changes = Changes::default();
        let mut ear = changes.ear();
        ear.hear();
        let wire = Arc::new(Wire::new(ways, changes.clone()));
        let gateway = TestGateway::new();
        let capacity = Capacity {
            entries: 4,
            max_staleness: AGE,
        };
        Self {
            cache: Cached::new(
                Arc::clone(&wire),
                ("Redis", capacity),
                changes,
                (Arc::new(ManualClock::new(NOW)), &gateway.services()),
            ),
            wire,
            ear: Mutex::new(ear),
            _gateway: gateway,
        }
    }

    fn read(&self, times: usize) {
        let mut last = 0;
        for _ in 0..times {
            if let Loaded::Found(row) = block_on(self.cache.load(mine()).wait()) {
                assert!(last <= row.version, "{} after {last}", row.version);
                last = row.version;
            }
        }
    }

    fn write(&self) {
        let Loaded::Found(row) = block_on(self.cache.load(mine()).wait()) else {
            return;
        };
        let expected = Expected::Version(row.version);
        let next = Versioned::after(row.version, State::Revoked);
        let written = self.cache.write(mine(), expected, next, HOUR);
        if block_on(written.wait()) != Written::Done {
            return;
        }
        if let Loaded::Found(known) = block_on(self.cache.load(mine()).wait()) {
            assert!(row.version < known.version, "a write that is not seen");
        }
    }

    /// What is on its way is lost, and so is the news of what happens meanwhile.
    fn break_down(&self) {
        let mut ear = self.ear.lock().unwrap();
        ear.lose();
        self.wire.cut();
        self.wire.write_elsewhere();
        ear.hear();
        self.wire.mend();
    }

    fn copy_is_the_row(&self) {
        let now = self.cache.clock.now();
        let key = mine().key();
        let copy = self.cache.shard(&key).look(|shard| shard.fresh(&key, now));
        let row = self.wire.line.lock().unwrap().version;
        assert!(copy.is_none_or(|copy| copy.version == row));
    }
}

/// A server and the connection to it.
struct Wire {
    line: Mutex<Line>,
    /// The queue of answers, and that of news.
    ways: [usize; 2],
    changes: Changes,
}

struct Line {
    version: u64,
    under_way: [VecDeque<Message>; 2],
    is_up: bool,
    is_over: bool,
}

enum Message {
    Answer(oneshot::Sender<u64>, u64),
    News,
}

impl Wire {
    fn new(ways: [usize; 2], changes: Changes) -> Self {
        let line = Line {
            version: 1,
            under_way: Default::default(),
            is_up: true,
            is_over: false,
        };
        Self {
            line: Mutex::new(line),
            ways,
            changes,
        }
    }

    /// Lets the server do something, and waits for its answer.
    async fn ask(&self, does: impl FnOnce(&mut Line) -> u64) -> Option<u64> {
        let (answer, answered) = oneshot::channel();
        {
            let mut line = self.line.lock().unwrap();
            if !line.is_up {
                return None;
            }
            let before = line.version;
            let said = does(&mut line);
            // Not on the connection of the writer.
            if line.version != before && self.ways[0] != self.ways[1] {
                line.under_way[self.ways[1]].push_back(Message::News);
            }
            line.under_way[self.ways[0]].push_back(Message::Answer(answer, said));
        }
        answered.await.ok()
    }

    fn write_elsewhere(&self) {
        let mut line = self.line.lock().unwrap();
        line.version += 1;
        if line.is_up {
            line.under_way[self.ways[1]].push_back(Message::News);
        }
    }

    fn deliver_all(&self, way: usize) {
        loop {
            let (message, is_over) = {
                let mut line = self.line.lock().unwrap();
                (line.under_way[way].pop_front(), line.is_over)
            };
            match message {
                // Nobody waits any more: the client went away.
                Some(Message::Answer(waiting, said)) => drop(waiting.send(said)),
                Some(Message::News) => self.changes.changed(&mine().key()),
                None if is_over => return,
                None => thread::yield_now(),
            }
        }
    }

    fn cut(&self) {
        let mut line = self.line.lock().unwrap();
        line.is_up = false;
        line.under_way = Default::default();
    }

    fn mend(&self) {
        self.line.lock().unwrap().is_up = true;
    }

    fn hang_up(&self) {
        self.line.lock().unwrap().is_over = true;
    }
}

impl Rows for Wire {
    fn load(&self, _: Address) -> Maybe<'_, Loaded<Versioned>> {
        Maybe::task(async {
            match self.ask(|line| line.version).await {
                Some(version) => Loaded::Found(row(version)),
                None => Loaded::Unavailable(Unavailable::new("broken")),
            }
        })
    }

    fn write(
        &self,
        _: Address,
        expected: Expected,
        row: Versioned,
        _: Duration,
    ) -> Maybe<'_, Written> {
        Maybe::task(async move {
            let write = |line: &mut Line| {
                let fits = expected == Expected::Version(line.version);
                line.version += u64::from(fits);
                u64::from(fits)
            };
            assert!(row.version > 0);
            match self.ask(write).await {
                Some(0) => Written::Conflict,
                Some(_) => Written::Done,
                None => Written::Unavailable(Unavailable::new("broken")),
            }
        })
    }

    fn probe(&self) -> Maybe<'_, Result<(), Unavailable>> {
        Ok(()).into()
    }

    fn reset(&self) -> Maybe<'_, Result<u64, Unavailable>> {
        Ok(0).into()
    }
}

impl Guarded<Shard> for RwLock<Shard> {
    fn new(value: Shard) -> Self {
        Self::new(value)
    }

    fn look<A>(&self, look: impl FnOnce(&Shard) -> A) -> A {
        look(&self.read().unwrap())
    }

    fn change<A>(&self, change: impl FnOnce(&mut Shard) -> A) -> A {
        change(&mut self.write().unwrap())
    }
}
