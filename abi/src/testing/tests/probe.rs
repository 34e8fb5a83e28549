//! A plugin that does what a test asks for.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::{Faults, NoConfig};
use crate::{
    Entry, Exchange, Failure, Flow, Maybe, Middleware, Offer, Plugin, Services, SessionUse, Side,
};

pub(super) struct Probe {
    services: Services,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub(super) struct Modes {
    mode: String,
}

impl Plugin for Probe {
    const NAME: &'static str = "probe";
    const HELP: &'static str = "Does what the test asks for.";
    const VERSION: &'static str = "1.0.0";
    type Config = NoConfig;

    fn open(_: Self::Config, services: Services) -> Result<Self, Faults> {
        Ok(Self { services })
    }

    fn components(offer: &mut Offer<Self>) {
        offer.middleware(
            "Echo",
            "Echoes.",
            |plugin: &Self, _: Entry<'_>, config: Modes| {
                let known = [
                    "pass",
                    "later",
                    "panicOnce",
                    "panicLater",
                    "panicBack",
                    "panicInVisit",
                    "panicInDrop",
                ];
                if !known.contains(&config.mode.as_str()) {
                    return Err(Faults::at("mode", format!("not a mode: {}", config.mode)));
                }
                Ok(Echo {
                    services: plugin.services.clone(),
                    mode: config.mode,
                    calls: AtomicUsize::new(0),
                })
            },
        );
        offer
            .middleware(
                "Counting",
                "Counts.",
                |_: &Self, _: Entry<'_>, _: NoConfig| Ok(Counting),
            )
            .session(SessionUse::needs().unless("quiet"));
    }
}

pub(super) struct Echo {
    services: Services,
    mode: String,
    calls: AtomicUsize,
}

impl Middleware for Echo {
    type State = (String, String, usize);

    fn on_request<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> Maybe<'a, Result<Flow<Self::State>, Failure>> {
        let value = exchange.header(Side::Request, self.services.header("x-in").unwrap());
        let value = String::from_utf8(value.unwrap_or_default().to_vec()).unwrap();
        let query = exchange.query().unwrap_or("-");
        let state = (
            format!("{} {}", exchange.method(), exchange.path()),
            format!("{query} {value}"),
            self.calls.fetch_add(1, Ordering::SeqCst),
        );
        match self.mode.as_str() {
            "panicOnce" => assert!(state.2 > 0, "as asked"),
            "panicLater" => return Maybe::task(async { panic!("as asked, later") }),
            "later" => return Maybe::task(async { Ok(Flow::Next(state)) }),
            "panicInVisit" => {
                let mut seen = 0;
                exchange.each_header(Side::Request, |_, _| {
                    seen += 1;
                    panic!("at header {seen}");
                });
            }
            "panicInDrop" => {
                let bomb = Bomb;
                return Maybe::task(async move {
                    let _bomb = bomb;
                    pending().await
                });
            }
            _ => {}
        }
        Maybe::Ready(Ok(Flow::Next(state)))
    }

    fn on_response<'a>(
        &'a self,
        mut exchange: Exchange<'a>,
        (line, rest, _): Self::State,
    ) -> Maybe<'a, Result<(), Failure>> {
        assert!(self.mode != "panicBack", "on the way back");
        let out = self.services.header("x-out").unwrap();
        exchange
            .append_header(Side::Response, out, format!("{line} {rest}"))
            .unwrap();
        Maybe::Ready(Ok(()))
    }
}

pub(super) struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in a drop");
    }
}

pub(super) static ALIVE: AtomicUsize = AtomicUsize::new(0);

pub(super) struct Counting;

pub(super) struct Counted([u64; 5]);

impl Drop for Counted {
    fn drop(&mut self) {
        assert_eq!(self.0, [7; 5]);
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Middleware for Counting {
    type State = Counted;

    fn on_request<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<Flow<Counted>, Failure>> {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        Maybe::Ready(Ok(Flow::Next(Counted([7; 5]))))
    }
}
