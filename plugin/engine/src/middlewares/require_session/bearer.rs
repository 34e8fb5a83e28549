//! `Authorization: Bearer` (RFC 6750, section 2.1).

use abi::{Exchange, HeaderName, Side};

/// What a request has in `Authorization`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    /// Nothing that is for us: other schemes are between client and upstream.
    Nothing,
    /// A token.
    Token(String),
    /// More than one, or what no token can be.
    Unclear,
}

/// The scheme is a word in any case; a request that shows two things shows nothing good.
pub(super) fn shown(exchange: &Exchange<'_>, authorization: HeaderName) -> Shown {
    let mut values = exchange.headers(Side::Request, authorization);
    let tokens: Vec<_> = values.by_ref().map(|value| token(value)).collect();
    match &*tokens {
        [] | [None] => Shown::Nothing,
        [Some(token)] if is_token(token) => {
            Shown::Token(String::from_utf8_lossy(token).into_owned())
        }
        [..] if tokens.iter().all(Option::is_none) => Shown::Nothing,
        [..] => Shown::Unclear,
    }
}

fn token(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let (scheme, rest) = match value
        .iter()
        .position(|byte| *byte == b' ' || *byte == b'\t')
    {
        Some(end) => value.split_at(end),
        None => (value, &[][..]),
    };
    scheme
        .eq_ignore_ascii_case(b"bearer")
        .then(|| rest.trim_ascii())
}

/// `b64token`.
fn is_token(text: &[u8]) -> bool {
    let is_letter = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    !text.is_empty() && text.iter().all(is_letter)
}

#[cfg(test)]
mod tests {
    use abi::testing::TestGateway;

    use super::*;

    #[test]
    fn the_scheme_is_known_in_any_case_and_others_are_not_ours() {
        for (values, expected) in [
            (&["Bearer a.b.c"][..], Shown::Token("a.b.c".into())),
            (&["bEARER  a=="], Shown::Token("a==".into())),
            (&["Basic YTpi"], Shown::Nothing),
            (&["Bearerx a"], Shown::Nothing),
            (&[], Shown::Nothing),
            (&["Basic YTpi", "Digest x"], Shown::Nothing),
            (&["Bearer"], Shown::Unclear),
            (&["Bearer a b"], Shown::Unclear),
            (&["Bearer a,b"], Shown::Unclear),
            (&["Bearer a", "Bearer b"], Shown::Unclear),
            (&["Basic YTpi", "Bearer b"], Shown::Unclear),
        ] {
            let gateway = TestGateway::new();
            let name = gateway.services().header("authorization").unwrap();
            let exchange = gateway.exchange("GET", "/");
            let mut exchange = values.iter().fold(exchange, |exchange, value| {
                exchange.with_header("Authorization", value)
            });

            assert_eq!(shown(&exchange.lend(), name), expected, "{values:?}");
        }
    }
}
