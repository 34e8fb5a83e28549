//! Where people go after a login or a logout.

use abi::Exchange;
use abi::config::Faults;

use crate::origin::Origin;
use crate::return_target::{ReturnOrigin, ReturnOrigins, ReturnTarget};

/// What an operator says about that, parsed.
#[derive(Debug)]
pub(super) struct Returns {
    parameter: String,
    origins: ReturnOrigins,
    usual: ReturnTarget,
}

impl Returns {
    /// # Errors
    /// All faults of `returnParameter`, `allowedReturnOrigins` and `returnTo`.
    pub(super) fn new(parameter: &str, origins: &[String], usual: &str) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        if parameter.is_empty() {
            faults.push(
                "returnParameter",
                "expected the name of a parameter, found nothing",
            );
        }
        let listed = origins.iter().enumerate();
        let origins: ReturnOrigins = listed
            .filter_map(|(place, text)| {
                let origin = text.parse::<ReturnOrigin>();
                let path = format!("allowedReturnOrigins[{place}]");
                origin
                    .map_err(|error| faults.push(path, error.to_string()))
                    .ok()
            })
            .collect();
        let target = origins.target(usual, None);
        if target.is_none() {
            let message = format!(
                "`{usual}` is no path of this site, and no URL at one of allowedReturnOrigins"
            );
            faults.push("returnTo", message);
        }
        faults.or(Self {
            parameter: parameter.to_owned(),
            origins,
            usual: target.unwrap_or_else(ReturnTarget::front_page),
        })
    }

    /// The name of the parameter, and of the field.
    pub(super) fn parameter(&self) -> &str {
        &self.parameter
    }

    /// Where people go who did not say.
    pub(super) const fn usual(&self) -> &ReturnTarget {
        &self.usual
    }

    /// The target in the query of a request; none when it has none, or one that leads elsewhere.
    pub(super) fn in_query(&self, exchange: &Exchange<'_>) -> Option<ReturnTarget> {
        let query = exchange.query()?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, asked) = pairs.find(|(name, _)| *name == self.parameter)?;
        self.read(&asked, exchange)
    }

    /// The target that a text names; none when it leads elsewhere.
    pub(super) fn read(&self, asked: &str, exchange: &Exchange<'_>) -> Option<ReturnTarget> {
        let own = Origin::of_request(exchange);
        self.origins.target(asked, own.as_ref())
    }

    /// The target as a parameter of a query, with `&` behind it.
    pub(super) fn to_query(&self, target: &ReturnTarget) -> String {
        let name: String = form_urlencoded::byte_serialize(self.parameter.as_bytes()).collect();
        format!("{name}={}&", target.in_query())
    }
}
