mod documents;
mod doubts;
mod forged;
mod grants;
mod introspection;
mod issuer;
mod malformed;
mod outages;
mod refreshing;
mod sets;
mod stage;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::issuer::Issuer;
use self::stage::Stage;
use super::*;

/// A provider whose keys are where the stage says, and who signs as `issuer` does.
struct Scene {
    stage: Stage,
    issuer: Issuer,
    provider: Arc<Provider>,
}

impl Scene {
    /// The provider is found by its issuer.
    fn new() -> Self {
        Self::with(json!({}))
    }

    /// With more keys in the configuration.
    fn with(extra: Value) -> Self {
        let stage = Stage::new();
        let issuer = Issuer::new("one");
        stage.publishes(&stage.metadata());
        stage.shows_keys(&[&issuer]);
        let mut config =
            json!({ "issuer": stage.url(""), "clientId": "gateway", "clientSecret": "s:cret" });
        merge(&mut config, extra);
        let provider = stage.provider(config);
        Self {
            stage,
            issuer,
            provider,
        }
    }

    /// A token that is good.
    fn good(&self) -> Map<String, Value> {
        let now = self.stage.now();
        let claims = json!({
            "iss": self.stage.url(""), "aud": "gateway", "sub": "anna", "iat": now, "exp": now + 600,
        });
        claims.as_object().unwrap().clone()
    }

    /// A token that is good but for these claims; null removes one.
    fn token(&self, changes: Value) -> String {
        self.issuer.sign(&self.changed(changes))
    }

    fn changed(&self, changes: Value) -> Value {
        let mut claims = Value::Object(self.good());
        merge(&mut claims, changes);
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        claims
    }

    fn verify(&self, token: &str) -> Result<Arc<Claims>, VerifyError> {
        self.stage.wait(self.provider.verify_access(token))
    }

    fn refusal(&self, token: &str) -> TokenError {
        match self.verify(token).unwrap_err() {
            VerifyError::Refused(error) => error,
            VerifyError::Unavailable(outage) => panic!("{outage}"),
        }
    }
}

fn merge(into: &mut Value, from: Value) {
    let Value::Object(from) = from else {
        panic!("no object: {from}");
    };
    into.as_object_mut().unwrap().extend(from);
}
