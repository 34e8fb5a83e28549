//! How actions answer.

use std::time::Duration;

use abi::{Exchange, Failure, HeaderName, Services, ServicesError, Side};
use serde_json::{Value, json};

/// Answers that are for one client only, and for no cache.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers {
    allow: HeaderName,
    cache_control: HeaderName,
    content_type: HeaderName,
    location: HeaderName,
    retry_after: HeaderName,
}

impl Answers {
    pub(super) fn new(services: &Services) -> Result<Self, ServicesError> {
        Ok(Self {
            allow: services.header("allow")?,
            cache_control: services.header("cache-control")?,
            content_type: services.header("content-type")?,
            location: services.header("location")?,
            retry_after: services.header("retry-after")?,
        })
    }

    /// The next request of the browser is a GET of `location`.
    pub(super) fn see_other(
        &self,
        exchange: &mut Exchange<'_>,
        location: &str,
    ) -> Result<(), Failure> {
        self.empty(exchange, 303)?;
        set(exchange, self.location, location)
    }

    pub(super) fn json(
        &self,
        exchange: &mut Exchange<'_>,
        status: u16,
        body: &Value,
    ) -> Result<(), Failure> {
        exchange.respond(status, body.to_string());
        set(exchange, self.cache_control, "no-store")?;
        set(exchange, self.content_type, "application/json")
    }

    /// Says in one word what was wrong.
    pub(super) fn error(
        &self,
        exchange: &mut Exchange<'_>,
        status: u16,
        reason: &str,
    ) -> Result<(), Failure> {
        self.json(exchange, status, &json!({ "error": reason }))
    }

    pub(super) fn html(
        &self,
        exchange: &mut Exchange<'_>,
        status: u16,
        body: &'static str,
    ) -> Result<(), Failure> {
        exchange.respond(status, body);
        set(exchange, self.cache_control, "no-store")?;
        set(exchange, self.content_type, "text/html; charset=utf-8")
    }

    pub(super) fn empty(&self, exchange: &mut Exchange<'_>, status: u16) -> Result<(), Failure> {
        exchange.respond(status, "");
        set(exchange, self.cache_control, "no-store")
    }

    /// Another method would have been answered.
    pub(super) fn not_allowed(
        &self,
        exchange: &mut Exchange<'_>,
        methods: &str,
    ) -> Result<(), Failure> {
        self.empty(exchange, 405)?;
        set(exchange, self.allow, methods)
    }

    /// Says which methods there are.
    pub(super) fn options(
        &self,
        exchange: &mut Exchange<'_>,
        methods: &str,
    ) -> Result<(), Failure> {
        self.empty(exchange, 204)?;
        set(exchange, self.allow, methods)
    }

    /// Adds to an answer when it is worth asking again, in seconds from now, rounded up.
    pub(super) fn retry_after(
        &self,
        exchange: &mut Exchange<'_>,
        wait: Duration,
    ) -> Result<(), Failure> {
        set(exchange, self.retry_after, &whole_seconds(wait).to_string())
    }
}

/// Rounded up: whoever comes back after that is not too early.
pub(super) const fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + (wait.subsec_nanos() > 0) as u64
}

fn set(exchange: &mut Exchange<'_>, name: HeaderName, value: &str) -> Result<(), Failure> {
    let set = exchange.set_header(Side::Response, name, value);
    set.map_err(|error| Failure::internal(format!("a header of an answer: {error}")))
}
