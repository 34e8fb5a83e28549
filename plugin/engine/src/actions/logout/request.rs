//! What a logout is asked for with.

use abi::failure::Kind;
use abi::{Exchange, Failure, HeaderName};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::actions::form::{Fields, Form};

/// What is to end, and how that is answered.
#[derive(Debug)]
pub(super) struct LogoutRequest {
    pub(super) reach: Reach,
    /// Where to go afterwards, as it was asked for. Believed by nobody yet.
    pub(super) return_to: Option<String>,
    pub(super) form: Form,
}

/// Which sessions of the user end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    /// This one.
    Here,
    /// All but this one.
    Others,
    /// All.
    Everywhere,
}

/// What is ticked.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wishes {
    others: bool,
    everywhere: bool,
}

impl LogoutRequest {
    /// Of a link, which says nothing.
    pub(super) const fn plain() -> Self {
        Self {
            reach: Reach::Here,
            return_to: None,
            form: Form::Html,
        }
    }

    /// Reads it from the body of a request. An empty one asks for the end of this session.
    ///
    /// # Errors
    /// [`Kind::BAD_REQUEST`] when it is something else.
    pub(super) async fn read(
        exchange: &mut Exchange<'_>,
        content_type: HeaderName,
        return_parameter: &str,
    ) -> Result<Self, Failure> {
        let form = Form::of(exchange, content_type);
        let body = exchange.read_body(BODY_LIMIT).wait().await?;
        let request = match form {
            Some(Form::Json) => Self::of_json(&body),
            Some(Form::Html) => Self::of_form(&body, return_parameter),
            None => body.is_empty().then(Self::plain),
        };
        request.ok_or_else(malformed)
    }

    fn of_json(body: &[u8]) -> Option<Self> {
        let wishes = match body.is_empty() {
            true => Wishes::default(),
            // By way of a map: a list would do as well otherwise.
            false => {
                let map: Map<String, Value> = serde_json::from_slice(body).ok()?;
                serde_json::from_value(map.into()).ok()?
            }
        };
        Some(Self {
            reach: wishes.reach(),
            return_to: None,
            form: Form::Json,
        })
    }

    fn of_form(body: &[u8], return_parameter: &str) -> Option<Self> {
        let fields = Fields::parse(body);
        let wishes = Wishes {
            others: fields.is_set("others")?,
            everywhere: fields.is_set("everywhere")?,
        };
        Some(Self {
            reach: wishes.reach(),
            return_to: fields.the_only(return_parameter)?.map(str::to_owned),
            form: Form::Html,
        })
    }
}

impl Wishes {
    const fn reach(&self) -> Reach {
        match (self.others, self.everywhere) {
            (_, true) => Reach::Everywhere,
            (true, false) => Reach::Others,
            (false, false) => Reach::Here,
        }
    }
}

fn malformed() -> Failure {
    Failure::new(
        Kind::BAD_REQUEST,
        "malformed-logout",
        "expected `others` or `everywhere`, as JSON or as a form, or nothing",
    )
}

const BODY_LIMIT: u64 = 4 * 1024;
