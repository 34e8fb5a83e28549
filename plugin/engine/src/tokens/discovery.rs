//! What a provider says of itself (OpenID Connect Discovery, section 3).

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{AGE, CACHE_CONTROL};
use serde::Deserialize;

use super::config::{Endpoints, Settings, parse_url};
use super::error::Outage;
use super::http::Answer;

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    userinfo_endpoint: Option<String>,
    introspection_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: serde_json::Value,
}

/// Reads the answer. The issuer in it must be the one that was asked for, to the letter: whoever controls another path
/// of the same host must not speak for it.
pub(super) fn endpoints(answer: &Answer, settings: &Settings) -> Result<Endpoints, Outage> {
    if answer.status != StatusCode::OK {
        return Err(Outage::status(answer));
    }
    let metadata: Metadata = serde_json::from_slice(&answer.body)
        .map_err(|_| Outage::new("discovery", "what it says of itself cannot be read"))?;
    if metadata.issuer != settings.issuer {
        let found: String = metadata.issuer.chars().take(LONGEST_SHOWN).collect();
        let (found, wanted) = (found.escape_debug(), &settings.issuer);
        let message =
            format!("it calls itself `{found}`, which must be `issuer` to the letter: `{wanted}`");
        return Err(Outage::new("issuer", message));
    }
    let must_be_secured = settings.issuer.starts_with("https:");
    let url = |text: &Option<String>| {
        let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match parse_url(text) {
            Ok(url) if must_be_secured && url.scheme() != "https" => Err(Outage::new(
                "discovery",
                "it names an endpoint without https",
            )),
            Ok(url) => Ok(Some(url)),
            Err(problem) => Err(Outage::new(
                "discovery",
                format!("an endpoint that it names: {problem}"),
            )),
        }
    };
    Ok(Endpoints {
        auth: url(&metadata.authorization_endpoint)?,
        token: url(&metadata.token_endpoint)?,
        cert: url(&metadata.jwks_uri)?,
        userinfo: url(&metadata.userinfo_endpoint)?,
        introspect: url(&metadata.introspection_endpoint)?,
        revocation: url(&metadata.revocation_endpoint)?,
        logout: url(&metadata.end_session_endpoint)?,
        names_issuer: metadata.authorization_response_iss_parameter_supported == true,
    })
}

/// How long an answer is fresh: as it says itself (RFC 9111, section 4.2.1), within what is sensible here.
pub(super) fn freshness(
    answer: &Answer,
    bounds: (Duration, Duration),
    usual: Duration,
) -> Duration {
    let seconds = |name, prefix: &str| {
        let value = answer.headers.get(name)?.to_str().ok()?;
        let mut words = value.split(',').map(|word| word.trim());
        words.find_map(|word| word.strip_prefix(prefix)?.parse::<u64>().ok())
    };
    let Some(max_age) = seconds(CACHE_CONTROL, "max-age=") else {
        return usual;
    };
    let age = seconds(AGE, "").unwrap_or_default();
    Duration::from_secs(max_age.saturating_sub(age)).clamp(bounds.0, bounds.1)
}

/// Of what it calls itself, in letters: for the log.
const LONGEST_SHOWN: usize = 200;
