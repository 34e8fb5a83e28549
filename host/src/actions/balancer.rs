//! `BalancerHttpAction`: forwards to one of several upstreams. The work is done by [`crate::upstream`].

use abi::config::{ConfigDuration, Faults};
use http::{HeaderName, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::health_check::HealthCheckConfig;
use super::http::endpoint;
use crate::metrics::Metrics;
use crate::upstream::{
    ConnectionConfig, Endpoint, Group, Origin, Patience, Policy, Retry, Rules, Sticky, Tolerance,
};

/// Where to forward to, and by what to choose.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub(crate) struct BalancerConfig {
    /// The services that stand in for each other, each as the `upstreamEndpoint` of `HttpAction`, or `url` with a
    /// `weight`.
    upstream_endpoints: Vec<EndpointConfig>,
    /// By what one is chosen.
    policy: Policy,
    /// By what a client is known again, to go where it went before: `session`, `cookie: NAME` or `header: NAME`. By
    /// nothing when absent.
    sticky: Option<StickyConfig>,
    /// Asks each endpoint now and then. Not at all when absent.
    health_check: Option<HealthCheckConfig>,
    /// Requests that fail one after the other until an endpoint is left out. 0: never.
    max_fails: u32,
    /// For how long it is left out, and within which time they have to fail.
    fail_timeout: ConfigDuration,
    /// How often a request that an endpoint may have seen is sent to another one, if that does no harm.
    retries: u32,
    /// Answers that are taken for failures.
    #[schemars(inner(range(min = 400, max = 599)))]
    retry_statuses: Vec<u16>,
    /// How many of a hundred requests may be sent again for it.
    #[schemars(range(max = 100))]
    retry_budget: u32,
    #[serde(flatten)]
    connection: ConnectionConfig,
}

/// A service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum EndpointConfig {
    Url(String),
    Weighted(WeightedConfig),
}

/// A service that has more or less than its share.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WeightedConfig {
    /// As the `upstreamEndpoint` of `HttpAction`.
    url: String,
    /// Its share, beside the others'. 1 for those that have none.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    weight: u32,
}

/// By what a client is known again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum StickyConfig {
    /// The session that a middleware before has found.
    Session,
    /// A cookie that the gateway gives to whoever has none.
    Cookie(String),
    /// A header.
    Header(String),
}

impl Default for BalancerConfig {
    fn default() -> Self {
        Self {
            upstream_endpoints: Vec::new(),
            policy: Policy::default(),
            sticky: None,
            health_check: None,
            max_fails: 3,
            fail_timeout: ConfigDuration::of_secs(10),
            retries: 2,
            retry_statuses: vec![502, 503, 504],
            retry_budget: 20,
            connection: ConnectionConfig::default(),
        }
    }
}

impl BalancerConfig {
    /// The services, for the action of this name. `patience` is for timeouts that are not written.
    ///
    /// # Errors
    /// With everything that is wrong, by key.
    pub(crate) fn group(
        &self,
        name: &str,
        patience: Patience,
        metrics: &Metrics,
    ) -> Result<Group, Faults> {
        let mut faults = Faults::default();
        let origins = faults.absorb(self.origins(patience));
        let sticky = self.sticky.as_ref().map(StickyConfig::check).transpose();
        let sticky = faults.absorb(sticky.map_err(|faults| faults.under("sticky")));
        let check = self.health_check.as_ref().map(HealthCheckConfig::check);
        let check = check
            .transpose()
            .map_err(|faults| faults.under("healthCheck"));
        let check = faults.absorb(check);
        let (Some(origins), Some(sticky), Some(check)) = (origins, sticky, check) else {
            return Err(faults);
        };
        let statuses = self.retry_statuses.iter();
        let rules = Rules {
            policy: self.policy,
            sticky,
            check,
            tolerance: Tolerance {
                max_fails: self.max_fails,
                fail_time: milliseconds(self.fail_timeout),
            },
            retry: Retry {
                limit: self.retries,
                // The schema lets nothing else in.
                statuses: statuses
                    .filter_map(|status| StatusCode::from_u16(*status).ok())
                    .collect(),
                percent: self.retry_budget,
            },
        };
        Ok(Group::new(name, origins, rules, metrics))
    }

    fn origins(&self, patience: Patience) -> Result<Vec<(Origin, u32)>, Faults> {
        let mut faults = Faults::default();
        let endpoints = self.endpoints(&mut faults);
        let link = self.connection.link(&endpoints, patience);
        let Some(link) = faults.absorb(link).filter(|_| faults.is_empty()) else {
            return Err(faults);
        };
        let weights = self.upstream_endpoints.iter().map(EndpointConfig::weight);
        let origins = endpoints.into_iter().map(|endpoint| match self.policy {
            Policy::LeastConnections => link.to(endpoint).counted(),
            Policy::RoundRobin => link.to(endpoint),
        });
        Ok(origins.zip(weights).collect())
    }

    fn endpoints(&self, faults: &mut Faults) -> Vec<Endpoint> {
        const KEY: &str = "upstreamEndpoints";
        let written = &self.upstream_endpoints;
        if written.is_empty() {
            faults.push(KEY, "expected at least one endpoint");
        }
        if written.len() > MAX_ENDPOINTS {
            faults.push(KEY, format!("expected at most {MAX_ENDPOINTS} endpoints"));
        }
        let mut endpoints = Vec::new();
        for (index, config) in written.iter().enumerate() {
            let key = config.key(index);
            let twin = written[..index]
                .iter()
                .position(|other| other.url() == config.url());
            if let Some(twin) = twin {
                let message = format!("is {KEY}[{twin}] once more; give that one a weight");
                faults.push(&key, message);
            }
            endpoints.extend(faults.absorb(endpoint(config.url(), &key)));
        }
        endpoints
    }
}

impl EndpointConfig {
    fn url(&self) -> &str {
        match self {
            Self::Url(url) => url,
            Self::Weighted(weighted) => &weighted.url,
        }
    }

    const fn weight(&self) -> u32 {
        match self {
            Self::Url(_) => 1,
            Self::Weighted(weighted) => weighted.weight,
        }
    }

    fn key(&self, index: usize) -> String {
        match self {
            Self::Url(_) => format!("upstreamEndpoints[{index}]"),
            Self::Weighted(_) => format!("upstreamEndpoints[{index}].url"),
        }
    }
}

impl StickyConfig {
    fn check(&self) -> Result<Sticky, Faults> {
        match self {
            Self::Session => Ok(Sticky::Session),
            // The name of a cookie is written with the letters of the name of a header (RFC 6265 4.1.1).
            Self::Cookie(name) => match name.parse::<HeaderName>() {
                Ok(_) => Ok(Sticky::Cookie(name.clone())),
                Err(_) => Err(Faults::at(
                    "cookie",
                    format!("`{name}` is not the name of a cookie"),
                )),
            },
            Self::Header(name) => match name.parse() {
                Ok(name) => Ok(Sticky::Header(name)),
                Err(_) => Err(Faults::at(
                    "header",
                    format!("`{name}` is not the name of a header"),
                )),
            },
        }
    }
}

fn milliseconds(duration: ConfigDuration) -> u64 {
    u64::try_from(duration.get().as_millis()).unwrap_or(u64::MAX)
}

const fn one() -> u32 {
    1
}

// One bit for each in a word, so that a choice allocates nothing.
const MAX_ENDPOINTS: usize = 64;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use schemars::schema_for;
    use serde_json::{Value, json};

    use super::*;
    use crate::config::shape;

    #[test]
    fn endpoints_are_written_with_and_without_a_weight() {
        let config = json!({
            "upstreamEndpoints": ["http://a", { "url": "unix:/b", "weight": 3 }],
            "policy": "leastConnections",
            "sticky": { "cookie": "lb" },
            "healthCheck": { "path": "/up", "statuses": [204, "300-308"] },
        });

        assert_eq!(faults(config), "");
        assert_eq!(
            faults(json!({ "upstreamEndpoints": ["http://a"], "sticky": "session" })),
            ""
        );
    }

    #[test]
    fn what_is_wrong_with_endpoints_is_told_by_their_places() {
        let config =
            json!({ "upstreamEndpoints": ["http://a", { "url": "a", "weight": 2 }, "http://a"] });

        let expected = "upstreamEndpoints[1].url: expected `http://host:port`, `https://host:port` or `h2c://host:port`, \
                        with a base path if needed, or `unix:/path`, found `a`\n\
                        upstreamEndpoints[2]: is upstreamEndpoints[0] once more; give that one a weight";
        assert_eq!(faults(config), expected);
        assert_eq!(
            faults(json!({})),
            "upstreamEndpoints: expected at least one endpoint"
        );
    }

    #[test]
    fn what_is_out_of_range_or_unknown_is_told_with_what_is_allowed() {
        let endpoints = json!(["http://a"]);
        let fault =
            |key: &str, value: Value| faults(json!({ "upstreamEndpoints": endpoints, key: value }));

        assert!(fault("policy", json!("roundRobbin")).contains("did you mean `roundRobin`?"));
        assert!(fault("retryBudget", json!(101)).contains("from 0 to 100, found `101`"));
        assert!(fault("retryStatuses", json!([200])).contains("retryStatuses[0]: "));
        assert!(
            fault("sticky", json!({ "cookie": "a b" }))
                .contains("sticky.cookie: `a b` is not the name of a cookie")
        );
        assert!(fault("healthcheck", json!({})).contains("did you mean `healthCheck`?"));
        let weight = json!([{ "url": "http://a", "weight": 0 }]);
        assert!(
            faults(json!({ "upstreamEndpoints": weight }))
                .starts_with("upstreamEndpoints[0].weight: ")
        );
    }

    fn faults(config: Value) -> String {
        let schema = schema_for!(BalancerConfig).to_value();
        let settled = shape::settle(&schema, config, Path::new("/"));
        let made = settled.and_then(|config| {
            let config: BalancerConfig = serde_json::from_value(config).unwrap();
            config.group("a", Patience::default(), &Metrics::default())
        });
        made.err()
            .map(|faults| faults.to_string())
            .unwrap_or_default()
    }
}
