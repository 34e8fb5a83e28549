//! What a login is asked for with.

use abi::config::Secret;
use abi::failure::Kind;
use abi::{Exchange, Failure, HeaderName};
use serde::Deserialize;

use super::identity::Stay;
use crate::actions::form::{Fields, Form};

/// A user name, a password, and what is wanted beside.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: Secret,
    pub(super) stay: Stay,
    /// Where to go afterwards, as it was asked for. Believed by nobody yet.
    pub(super) return_to: Option<String>,
    pub(super) form: Form,
}

#[derive(Deserialize)]
struct Json {
    username: String,
    password: Secret,
    #[serde(default, rename = "remember_me")]
    stay: Stay,
}

impl Credentials {
    /// Reads them from the body of a request.
    ///
    /// # Errors
    /// [`Kind::BAD_REQUEST`] when it holds none, [`Kind::TOO_LARGE`] when it holds more than anybody types.
    pub(super) async fn read(
        exchange: &mut Exchange<'_>,
        content_type: HeaderName,
        return_parameter: &str,
    ) -> Result<Self, Failure> {
        let form = Form::of(exchange, content_type);
        let body = exchange.read_body(BODY_LIMIT).wait().await?;
        let credentials = match form {
            Some(Form::Json) => Self::of_json(&body),
            Some(Form::Html) => Self::of_form(&body, return_parameter),
            None => None,
        };
        credentials
            .filter(|credentials| credentials.is_plausible())
            .ok_or_else(malformed)
    }

    fn of_json(body: &[u8]) -> Option<Self> {
        // A list of the values would do as well otherwise.
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let json: Json = serde_json::from_slice(body).ok().filter(|_| is_object)?;
        Some(Self {
            username: json.username,
            password: json.password,
            stay: json.stay,
            return_to: None,
            form: Form::Json,
        })
    }

    fn of_form(body: &[u8], return_parameter: &str) -> Option<Self> {
        let fields = Fields::parse(body);
        Some(Self {
            username: fields.the_only("username")??.to_owned(),
            password: Secret::new(fields.the_only("password")??),
            stay: fields.is_set("remember_me")?.into(),
            return_to: fields.the_only(return_parameter)?.map(str::to_owned),
            form: Form::Html,
        })
    }

    /// Whether somebody may have typed them. Without a password no hash is tried: some directories take an empty one
    /// for a visit by nobody.
    fn is_plausible(&self) -> bool {
        let is_name = |name: &str| !name.is_empty() && !name.chars().any(char::is_control);
        is_name(&self.username)
            && self.username.len() <= MAX_USERNAME
            && !self.password.is_empty()
            && !self.password.reveal().contains('\0')
            && self.password.reveal().len() <= MAX_PASSWORD
    }
}

fn malformed() -> Failure {
    Failure::new(
        Kind::BAD_REQUEST,
        "malformed-login",
        "expected `username` and `password` as JSON or as a form",
    )
}

const BODY_LIMIT: u64 = 16 * 1024;
/// In bytes.
const MAX_USERNAME: usize = 256;
/// In bytes. NIST SP 800-63B wants 64 characters at least.
const MAX_PASSWORD: usize = 1024;
