//! Where somebody is sent who has to log in.

use abi::Exchange;

use crate::origin::Origin;
use crate::{ReturnOrigins, ReturnTarget};

/// The login page, and how it is told where to send people back to.
#[derive(Debug)]
pub(super) struct LoginPlace {
    target: String,
    /// The path, where the page is on this site.
    path: Option<String>,
    /// The origin of the page, where it is elsewhere.
    origin: Option<Origin>,
    parameter: String,
    origins: ReturnOrigins,
}

impl LoginPlace {
    pub(super) fn new(
        target: &str,
        parameter: &str,
        origins: ReturnOrigins,
    ) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{target}`: expected a path such as `/login/`, or a URL such as `https://login.example.com/`"
            )
        };
        let (path, origin) = match target.starts_with('/') {
            true => {
                let local =
                    ReturnTarget::local(target).filter(|local| !local.as_str().contains('#'));
                let local = local.ok_or_else(wrong)?;
                let path = local.as_str().split('?').next().unwrap_or_default();
                (Some(abi::path::normalise(path).into_owned()), None)
            }
            false => {
                let (origin, rest) = Origin::split(target).ok_or_else(wrong)?;
                let is_clean = rest
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'#');
                (None, Some(is_clean.then_some(origin).ok_or_else(wrong)?))
            }
        };
        Ok(Self {
            target: target.to_owned(),
            path,
            origin,
            parameter: parameter.to_owned(),
            origins,
        })
    }

    /// The value of `Location`. None for the page itself: whoever is sent from there to there never arrives.
    pub(super) fn location(&self, exchange: &Exchange<'_>) -> Option<String> {
        if self.path.as_deref() == Some(exchange.path()) {
            return None;
        }
        let Some(back) = self.back(exchange) else {
            return Some(self.target.clone());
        };
        let joint = if self.target.contains('?') { '&' } else { '?' };
        Some(format!(
            "{}{joint}{}={}",
            self.target,
            self.parameter,
            back.in_query()
        ))
    }

    /// Where to come back to. None for the front page of this site, where a login leads by itself, and for an origin
    /// that nobody has allowed: the client may have made it up.
    fn back(&self, exchange: &Exchange<'_>) -> Option<ReturnTarget> {
        let target = ReturnTarget::of_request(exchange);
        let Some(page) = &self.origin else {
            return (target.as_str() != "/").then_some(target);
        };
        let own = Origin::of_request(exchange)?;
        let is_allowed = own == *page || self.origins.allows(&own);
        is_allowed.then(|| target.at(&own))
    }
}
