//! `MapSessionToHeaderMiddleware`: the upstream gets the user as plain headers.
//!
//! Scrub first, map last. The names are reserved with the gateway when the middleware is made, so that what a client
//! sends under them is gone on every route before anything else happens; here they are only set.

mod encoding;
mod value;

use std::collections::BTreeMap;

use abi::config::Faults;
use abi::failure::Kind;
use abi::{
    Attribute, Exchange, Failure, Flow, HeaderError, HeaderName, Maybe, Middleware, Services,
    Session, Side,
};
use schemars::JsonSchema;
use serde::Deserialize;

pub use self::encoding::HeaderEncoding;

use crate::header_names::{fold, is_taken};

/// Which attribute becomes which header.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MapSessionToHeaderConfig {
    /// Header name: session attribute. Dots lead into objects: `X-City: address.city`.
    pub headers: BTreeMap<String, String>,
    /// How values are written that a header cannot carry as they are.
    #[serde(default)]
    pub encoding: HeaderEncoding,
    /// Attributes without which a request is refused with 401, written like those of `headers`.
    #[serde(default)]
    pub required: Vec<String>,
}

/// Sets a request header from each mapped attribute that the session has.
#[derive(Debug)]
pub struct MapSessionToHeaderMiddleware {
    mappings: Box<[Mapping]>,
    encoding: HeaderEncoding,
    required: Box<[String]>,
}

#[derive(Debug)]
struct Mapping {
    name: HeaderName,
    header: String,
    attribute: String,
}

impl MapSessionToHeaderMiddleware {
    /// Checks the mapping and reserves its headers.
    ///
    /// # Errors
    /// When a header cannot be mapped, or two of them are the same to an upstream.
    pub fn new(config: MapSessionToHeaderConfig, services: &Services) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        if config.headers.is_empty() {
            faults.push("headers", "nothing is mapped; name at least one header");
        }
        let mut mappings: Vec<Mapping> = Vec::new();
        for (header, attribute) in config.headers {
            let path = format!("headers.{header}");
            match Mapping::new(header, attribute, &mappings, services) {
                Ok(mapping) => mappings.push(mapping),
                Err(message) => faults.push(path, message),
            }
        }
        if config.required.iter().any(String::is_empty) {
            faults.push(
                "required",
                "expected names of session attributes, found an empty one",
            );
        }
        faults.or(Self {
            mappings: mappings.into_boxed_slice(),
            encoding: config.encoding,
            required: config.required.into(),
        })
    }

    fn map(&self, exchange: &mut Exchange<'_>, session: &Session) -> Result<(), Failure> {
        for mapping in &self.mappings {
            let mut outcome = Ok(());
            session.read(&mapping.attribute, |attribute| {
                outcome = mapping.set(exchange, attribute, self.encoding);
            });
            outcome.map_err(|_| mapping.unfit())?;
        }
        Ok(())
    }

    /// The first attribute that is required and not there. An empty one is not there, as for a header.
    fn missing(&self, session: &Session) -> Option<&str> {
        let is_missing = |path: &&String| {
            let mut is_there = false;
            session.read(path, |attribute| {
                is_there = !value::render(attribute).is_empty();
            });
            !is_there
        };
        self.required.iter().find(is_missing).map(String::as_str)
    }

    /// Whoever lacks something may only seem to, because the storage is away: that is no reason to ask for a login.
    async fn look_again(
        &self,
        mut exchange: Exchange<'_>,
        session: Session,
    ) -> Result<Flow<()>, Failure> {
        session.reload().wait().await?;
        if let Some(attribute) = self.missing(&session) {
            return Err(refused(attribute));
        }
        self.map(&mut exchange, &session).map(|()| Flow::Next(()))
    }
}

impl Middleware for MapSessionToHeaderMiddleware {
    type State = ();

    fn on_request<'a>(
        &'a self,
        mut exchange: Exchange<'a>,
    ) -> Maybe<'a, Result<Flow<()>, Failure>> {
        let Some(session) = exchange.session().cloned() else {
            return Maybe::Ready(match self.required.first() {
                Some(attribute) => Err(refused(attribute)),
                None => Ok(Flow::Next(())),
            });
        };
        if self.missing(&session).is_some() {
            return Maybe::task(self.look_again(exchange, session));
        }
        let mapped = self.map(&mut exchange, &session);
        Maybe::Ready(mapped.map(|()| Flow::Next(())))
    }
}

impl Mapping {
    fn new(
        header: String,
        attribute: String,
        others: &[Self],
        services: &Services,
    ) -> Result<Self, String> {
        if attribute.is_empty() {
            return Err("expected the name of a session attribute, found nothing".to_owned());
        }
        if is_taken(Side::Request, &header) {
            return Err(
                "this header belongs to the connection or the gateway and cannot be mapped"
                    .to_owned(),
            );
        }
        let same = |other: &&Self| fold(&other.header).eq(fold(&header));
        if let Some(other) = others.iter().find(same) {
            return Err(format!(
                "the same header as `{}` to an upstream that folds names",
                other.header
            ));
        }
        let name = services
            .header(&header)
            .map_err(|error| error.to_string())?;
        services
            .reserve(Side::Request, &header)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            name,
            header,
            attribute,
        })
    }

    /// An empty value sets nothing: an upstream may take an empty header for a user.
    fn set(
        &self,
        exchange: &mut Exchange<'_>,
        attribute: Attribute<'_>,
        encoding: HeaderEncoding,
    ) -> Result<(), HeaderError> {
        let text = value::render(attribute);
        if text.is_empty() {
            return Ok(());
        }
        let text = encoding.write(text);
        exchange.set_header(Side::Request, self.name, text.as_bytes())
    }

    // Refused, not shortened: an upstream must never act on half an identity.
    fn unfit(&self) -> Failure {
        Failure::internal(format!(
            "the session's `{}` holds characters that header `{}` cannot carry",
            self.attribute, self.header
        ))
    }
}

fn refused(attribute: &str) -> Failure {
    let message = format!("the session has no `{attribute}`, which is required here");
    Failure::new(Kind::UNAUTHORIZED, "attribute-required", message)
}

#[cfg(test)]
mod tests;
