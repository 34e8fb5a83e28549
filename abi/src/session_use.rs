//! What a component has to do with the session of a request, as its plugin declares it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a component has to do with the session of a request, told with
/// [`Offered::session`](crate::plugin::Offered::session).
///
/// From this a gateway sees, before it serves, that a route can never work: its middlewares are in the wrong order, or
/// nothing gives the session that one of them needs. A component that says nothing is not judged, and neither is what
/// stands behind it.
///
/// ```
/// # use abi::config::{Faults, NoConfig};
/// # use abi::{Action, Entry, Exchange, Failure, Flow, Maybe, Middleware, Offer, Plugin, Services};
/// use abi::SessionUse;
///
/// # struct Tickets;
/// # struct Found;
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # struct TicketConfig { hidden: bool }
/// # impl Tickets {
/// #     fn ticket(&self, _: Entry<'_>, _: TicketConfig) -> Result<Found, Faults> { Ok(Found) }
/// #     fn profile(&self, _: Entry<'_>, _: NoConfig) -> Result<Found, Faults> { Ok(Found) }
/// # }
/// # impl Middleware for Found {
/// #     type State = ();
/// #     fn on_request<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<Flow<()>, Failure>> {
/// #         Maybe::Ready(Ok(Flow::Next(())))
/// #     }
/// # }
/// # impl Action for Found {
/// #     fn call<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> { Maybe::Ready(Ok(())) }
/// # }
/// impl Plugin for Tickets {
///     // ...
/// #     const NAME: &'static str = "tickets";
/// #     const HELP: &'static str = "Tickets in place of cookies.";
/// #     const VERSION: &'static str = "1.0.0";
/// #     type Config = NoConfig;
/// #     fn open(_: NoConfig, _: Services) -> Result<Self, Faults> { Ok(Self) }
///     fn components(offer: &mut Offer<Self>) {
///         offer
///             .middleware("TicketMiddleware", "Makes a session of a ticket.", Self::ticket)
///             .session(SessionUse::gives().unless("hidden"));
///         offer
///             .action("ProfileAction", "Shows who is logged in.", Self::profile)
///             .session(SessionUse::needs());
///     }
/// }
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionUse {
    part: SessionPart,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unless: Option<String>,
}

/// A component's part.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionPart {
    /// A middleware that attaches one to every request it lets pass.
    Gives,
    /// No request comes to anything without one.
    Needs,
    /// As [`Needs`](Self::Needs), but for some requests: those of one of its routes, say, or for a page.
    NeedsAtTimes,
}

impl SessionUse {
    /// A middleware attaches a session to every request that it lets pass, whether anybody is logged in or not.
    pub const fn gives() -> Self {
        Self::always(SessionPart::Gives)
    }

    /// Without a session, all that a middleware or an action does is in vain: a route without one is a fault.
    pub const fn needs() -> Self {
        Self::always(SessionPart::Needs)
    }

    /// Some requests need a session and others do not: of an action it is a fault if none of its routes has one.
    pub const fn needs_at_times() -> Self {
        Self::always(SessionPart::NeedsAtTimes)
    }

    /// Takes it back where this key of the component's configuration is written and neither `null` nor `false`: such
    /// a component has said nothing.
    #[must_use]
    pub fn unless(self, key: &str) -> Self {
        Self {
            unless: Some(key.to_owned()),
            ..self
        }
    }

    /// What holds for a component of this configuration. None: it has said nothing.
    pub fn part(&self, config: &Value) -> Option<SessionPart> {
        let key = self.unless.as_deref();
        let value = key.and_then(|key| config.get(key));
        match value {
            None | Some(Value::Null | Value::Bool(false)) => Some(self.part),
            Some(_) => None,
        }
    }

    const fn always(part: SessionPart) -> Self {
        Self { part, unless: None }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_takes_back_what_was_said_where_it_is_set() {
        let used = SessionUse::gives().unless("hidden");

        let part = |config: Value| used.part(&config);

        for said in [
            json!({}),
            json!({ "hidden": false, "other": 1 }),
            json!({ "hidden": null }),
        ] {
            assert_eq!(part(said.clone()), Some(SessionPart::Gives), "{said}");
        }
        for unsaid in [json!({ "hidden": true }), json!({ "hidden": {} })] {
            assert_eq!(part(unsaid.clone()), None, "{unsaid}");
        }
    }

    #[test]
    fn declaration_crosses_as_the_words_it_is_documented_with() {
        let used = SessionUse::needs_at_times();

        let text = serde_json::to_value(&used).unwrap();

        assert_eq!(text, json!({ "part": "needsAtTimes" }));
        assert_eq!(serde_json::from_value::<SessionUse>(text).unwrap(), used);
    }
}
