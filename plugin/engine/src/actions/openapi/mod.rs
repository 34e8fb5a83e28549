//! `OpenApiAction`: what the actions of session.so answer, for programs that read OpenAPI 3.1.
//!
//! An action does not know its routes, so the paths are told once more here; what is not told is not described.

mod document;

use abi::config::Faults;
use abi::{Action, Exchange, Failure, Maybe, Services};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::answers::Answers;

/// Where the actions are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct OpenApiConfig {
    /// The path of a LoginAction with `usersFile` or `passwordGrant`. Absent: it is not described, as for the others.
    pub login: Option<String>,
    /// The path of a LogoutAction.
    pub logout: Option<String>,
    /// The path of a RefreshAction.
    pub refresh: Option<String>,
    /// The path of a SessionsAction. Its second route is below it: `/sessions/:id`.
    pub sessions: Option<String>,
    /// The path of an InfoAction.
    pub info: Option<String>,
    /// The cookie of the session, as in `keyLookup`.
    pub cookie: String,
}

impl Default for OpenApiConfig {
    fn default() -> Self {
        Self {
            login: None,
            logout: None,
            refresh: None,
            sessions: None,
            info: None,
            cookie: "session_id".to_owned(),
        }
    }
}

/// Serves the document.
#[derive(Debug)]
pub struct OpenApiAction {
    document: Value,
    answers: Answers,
}

impl OpenApiAction {
    /// Writes the document.
    ///
    /// # Errors
    /// For each path that is none, and when none is told.
    pub fn new(config: &OpenApiConfig, services: &Services) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let paths = [
            ("login", &config.login),
            ("logout", &config.logout),
            ("refresh", &config.refresh),
            ("sessions", &config.sessions),
            ("info", &config.info),
        ];
        for (key, path) in paths {
            if let Some(path) = path.as_ref().filter(|path| !is_path(path)) {
                faults.push(
                    key,
                    format!(
                        "`{path}`: expected the path of its route, without parameters: `/{key}`"
                    ),
                );
            }
        }
        if paths.iter().all(|(_, path)| path.is_none()) {
            faults.push("", "there is nothing to describe; give the path of one of `login`, `logout`, `refresh`, `sessions`, `info`");
        }
        let answers = Answers::new(services).map_err(|error| Faults::at("", error.to_string()));
        match (faults.absorb(answers), faults.is_empty()) {
            (Some(answers), true) => Ok(Self {
                document: document::of(config),
                answers,
            }),
            _ => Err(faults),
        }
    }

    fn answer(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        match exchange.method() {
            "GET" | "HEAD" => self.answers.json(&mut exchange, 200, &self.document),
            "OPTIONS" => self.answers.options(&mut exchange, METHODS),
            _ => self.answers.not_allowed(&mut exchange, METHODS),
        }
    }
}

impl Action for OpenApiAction {
    fn call<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::Ready(self.answer(exchange))
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains([':', '*', '{', '}', '?', '#'])
}

const METHODS: &str = "GET, HEAD, OPTIONS";

#[cfg(test)]
mod tests {
    use abi::testing::TestGateway;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_has_a_path_is_described() {
        let gateway = TestGateway::new();
        let config = json!({
            "sessions": "/my/devices", "info": "/me", "logout": "/bye", "cookie": "__Host-session",
        });
        let config = serde_json::from_value(config).unwrap();
        let action = OpenApiAction::new(&config, &gateway.services()).unwrap();
        let action = abi::handle::ActionHandle::new(action);
        let mut exchange = gateway.exchange("GET", "/openapi.json");

        exchange.call(&action).unwrap();

        let document: Value = serde_json::from_slice(exchange.response_body()).unwrap();
        // Whether maps keep their order is for all crates of a build to decide together.
        let mut paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
        paths.sort();
        assert_eq!(paths, ["/bye", "/me", "/my/devices", "/my/devices/{id}"]);
        let scheme = &document["components"]["securitySchemes"]["session"];
        assert_eq!(scheme["name"], "__Host-session");
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[test]
    fn what_is_no_path_is_a_fault_and_so_is_nothing() {
        let make = |config| {
            let config = serde_json::from_value(config).unwrap();
            OpenApiAction::new(&config, &TestGateway::new().services())
        };

        let faults = make(json!({ "sessions": "/sessions/:id", "info": "me" })).unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["sessions", "info"]);
        assert!(make(json!({})).is_err());
    }
}
