//! What an operator may say about loading sessions, as written and as meant.

use std::fmt;
use std::time::Duration;

use abi::config::{ConfigDuration, Faults};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::cookie::{
    CookieAttribute, CookieName, CookiePath, CookieRules, CookieRulesError, SameSite,
};
use crate::session::Lifetime;
use crate::{KeyLookup, Policy, Source};

/// Where the session id is, where the session is kept, and how long it lives.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct LoadSessionConfig {
    /// A name from `storages`. Absent: in the memory of this gateway, not recommended for production.
    pub storage: Option<String>,
    /// Where the session id is: `cookie:<name>`, `header:<name>` or `query:<name>`, or a list tried in order.
    pub key_lookup: KeyLookupText,
    /// Whether scripts are kept from reading the cookie. `true` is recommended.
    #[serde(rename = "cookieHTTPOnly")]
    pub cookie_http_only: bool,
    /// Whether the cookie stays off plain HTTP. `true` is recommended.
    pub cookie_secure: bool,
    /// When the browser sends the cookie along with requests that another site caused.
    pub cookie_same_site: SameSiteText,
    /// Whether the cookie ends with the browser. The stored session lives as long as otherwise.
    pub cookie_session_only: bool,
    /// How long the cookie and the stored session live from their last renewal on.
    pub cookie_expiration: ConfigDuration,
    /// Whether a session keeps its id and its end for its whole life.
    pub disable_auto_renew: bool,
    /// A session older than this gets a new id and a fresh `cookieExpiration`; its data stays.
    pub auto_renew_after: ConfigDuration,
    /// Whether later middlewares and the action see no session.
    pub disable_session_forward: bool,
    /// Whether the session's cookie, header or query parameter reaches the upstream. Whoever has it is the user.
    pub forward_session_key: bool,
    /// The response header by which an upstream writes the session, for example `X-Session-Set`: a JSON object is
    /// merged into the attributes, `null` removes one, the word `destroy` ends the session. It never reaches the
    /// client. Empty: upstreams cannot write.
    pub response_header: String,
}

/// The documented defaults; where one is weak, starting says so.
impl Default for LoadSessionConfig {
    fn default() -> Self {
        Self {
            storage: None,
            key_lookup: KeyLookupText::One("cookie:session_id".to_owned()),
            cookie_http_only: false,
            cookie_secure: false,
            cookie_same_site: SameSiteText(SameSite::Lax),
            cookie_session_only: false,
            cookie_expiration: ConfigDuration::of_secs(2 * 60 * 60),
            disable_auto_renew: false,
            auto_renew_after: ConfigDuration::of_secs(30 * 60),
            disable_session_forward: false,
            forward_session_key: false,
            response_header: String::new(),
        }
    }
}

/// One place, or several in their order.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum KeyLookupText {
    /// `cookie:session_id`
    One(String),
    /// `[cookie:session_id, header:X-Session]`
    Many(Vec<String>),
}

/// `Strict`, `Lax` or `None`, or the numbers 3, 2 and 4 that Go's `http.SameSite` has for them.
#[derive(Clone, Copy, Debug)]
pub struct SameSiteText(pub SameSite);

impl LoadSessionConfig {
    /// The rules for the sessions of this middleware.
    pub fn policy(&self) -> Policy {
        let renew_after = (!self.disable_auto_renew).then(|| self.auto_renew_after.into());
        Policy::new(Lifetime::new(self.cookie_expiration.into(), renew_after))
    }

    /// The places to look at, checked.
    pub(super) fn lookup(&self) -> Result<KeyLookup, Faults> {
        let parsed = match &self.key_lookup {
            KeyLookupText::One(text) => KeyLookup::parse([text.as_str()]),
            KeyLookupText::Many(texts) => KeyLookup::parse(texts.iter().map(String::as_str)),
        };
        let lookup = parsed.map_err(|error| Faults::at("keyLookup", error.to_string()))?;
        let mut faults = Faults::default();
        for source in lookup.sources() {
            if let Source::Cookie(name) = source {
                let errors = self.cookie(name).check().err().unwrap_or_default();
                errors
                    .iter()
                    .for_each(|error| faults.push(key_of(error), error.to_string()));
            }
        }
        faults.or(lookup)
    }

    pub(super) fn cookie(&self, name: &CookieName) -> CookieRules {
        CookieRules {
            name: name.clone(),
            http_only: self.cookie_http_only,
            secure: self.cookie_secure,
            same_site: self.cookie_same_site.0,
            session_only: self.cookie_session_only,
            domain: None,
            path: CookiePath::default(),
            partitioned: false,
        }
    }

    /// What an operator should know before going into production.
    pub(super) fn weaknesses(&self) -> Vec<String> {
        let mut weak = Vec::new();
        if self.storage.is_none() {
            weak.push(
                "storage is not set: sessions are in memory and end with this gateway".into(),
            );
        }
        if !self.cookie_http_only {
            weak.push("cookieHTTPOnly is false: scripts can read the cookie".into());
        }
        if !self.cookie_secure {
            weak.push("cookieSecure is false: the cookie travels over plain HTTP".into());
        }
        let (life, renewal) = (
            Duration::from(self.cookie_expiration),
            Duration::from(self.auto_renew_after),
        );
        if !self.disable_auto_renew && life <= renewal {
            weak.push(format!(
                "autoRenewAfter ({}) is not below cookieExpiration ({}): no session is ever renewed",
                self.auto_renew_after, self.cookie_expiration
            ));
        }
        weak
    }
}

/// Where to write what would make the cookie acceptable.
const fn key_of(error: &CookieRulesError) -> &'static str {
    match error.attribute() {
        CookieAttribute::Domain => "cookieDomain",
        CookieAttribute::HttpOnly => "cookieHTTPOnly",
        CookieAttribute::Name => "keyLookup",
        CookieAttribute::Partitioned => "cookiePartitioned",
        CookieAttribute::Path => "cookiePath",
        CookieAttribute::SameSite => "cookieSameSite",
        CookieAttribute::Secure => "cookieSecure",
    }
}

impl<'de> Deserialize<'de> for SameSiteText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SameSiteVisitor).map(Self)
    }
}

struct SameSiteVisitor;

impl Visitor<'_> for SameSiteVisitor {
    type Value = SameSite;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`Strict`, `Lax` or `None`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SameSite, E> {
        match text {
            "Lax" => Ok(SameSite::Lax),
            "None" => Ok(SameSite::None),
            "Strict" => Ok(SameSite::Strict),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<SameSite, E> {
        match number {
            2 => Ok(SameSite::Lax),
            3 => Ok(SameSite::Strict),
            4 => Ok(SameSite::None),
            _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
        }
    }
}

impl JsonSchema for SameSiteText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SameSite".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["Strict", "Lax", "None", 2, 3, 4] })
    }
}
