//! Pages for people: plain HTML that works without scripts, in one look.
//!
//! A page has one style sheet inside, which the answer's policy names by its hash; nothing else may run, load or frame.
//! Operators change the look by a file of CSS that is put behind it: the variables in `style.css` are meant for that.

mod html;
mod texts;
mod theme;

use abi::{Exchange, Failure, HeaderName, Services, ServicesError, Side};

pub use self::html::{Escaped, Html};
pub(crate) use self::texts::texts;
pub use self::texts::{Messages, PageTexts};
pub use self::theme::{PageTheme, ThemeError};

/// What every page is made with.
#[derive(Debug)]
pub struct Pages {
    theme: PageTheme,
    /// `Content-Security-Policy`, up to where forms may lead.
    policy: String,
    headers: Headers,
}

/// One page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The language of its text (BCP 47).
    pub language: &'a str,
    /// What tabs and bookmarks are called.
    pub title: &'a str,
    /// What stands in `<main>`.
    pub content: &'a Html,
    /// Origins that a form of the page may lead to in the end, besides its own, as sources of a policy. Browsers hold
    /// redirects against it as well.
    pub form_targets: &'a str,
    /// How much room it takes.
    pub width: Width,
}

/// How wide a page becomes where there is room.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Width {
    /// As wide as a form.
    #[default]
    Narrow,
    /// As wide as a list.
    Wide,
}

#[derive(Debug)]
struct Headers {
    fixed: Vec<(HeaderName, &'static str)>,
    language: HeaderName,
    policy: HeaderName,
}

impl Pages {
    /// Pages in this look.
    ///
    /// # Errors
    /// When the gateway has no room for header names.
    pub fn new(theme: PageTheme, services: &Services) -> Result<Self, ServicesError> {
        let fixed = FIXED
            .iter()
            .map(|(name, value)| Ok((services.header(name)?, *value)));
        Ok(Self {
            policy: format!(
                "default-src 'none'; style-src '{}'; img-src 'self' data:; base-uri 'none'; \
                 frame-ancestors 'none'; form-action 'self'",
                theme.hash()
            ),
            theme,
            headers: Headers {
                fixed: fixed.collect::<Result<_, ServicesError>>()?,
                language: services.header("content-language")?,
                policy: services.header("content-security-policy")?,
            },
        })
    }

    /// Answers with a page.
    ///
    /// # Errors
    /// When the language is none.
    pub fn respond(
        &self,
        exchange: &mut Exchange<'_>,
        status: u16,
        page: &Page<'_>,
    ) -> Result<(), Failure> {
        exchange.respond(status, self.document(page).as_str());
        let policy = match page.form_targets {
            "" => self.policy.clone(),
            targets => format!("{} {targets}", self.policy),
        };
        let own = [
            (self.headers.language, page.language),
            (self.headers.policy, policy.as_str()),
        ];
        for (name, value) in self.headers.fixed.iter().copied().chain(own) {
            exchange
                .set_header(Side::Response, name, value)
                .map_err(|error| Failure::internal(format!("a header of a page: {error}")))?;
        }
        Ok(())
    }

    fn document(&self, page: &Page<'_>) -> Html {
        let mut html = Html::default();
        html.markup("<!DOCTYPE html>\n<html lang=\"")
            .text(page.language)
            .markup("\">\n<head>\n<meta charset=\"utf-8\">\n")
            .markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .markup("<meta name=\"color-scheme\" content=\"light dark\">\n")
            .markup("<meta name=\"robots\" content=\"noindex\">\n<title>")
            .text(page.title)
            .markup("</title>\n<style>")
            .html(self.theme.style())
            .markup("</style>\n</head>\n<body>\n")
            .markup(page.width.main())
            .html(page.content)
            .markup("</main>\n</body>\n</html>\n");
        html
    }
}

impl Width {
    const fn main(self) -> &'static str {
        match self {
            Self::Narrow => "<main>\n",
            Self::Wide => "<main class=\"wide\">\n",
        }
    }
}

/// Whether it may be a language tag (BCP 47).
pub fn is_language(tag: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    tag.split('-').all(is_part) && tag.starts_with(|first: char| first.is_ascii_alphabetic())
}

const FIXED: [(&str, &str); 7] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    // Not `no-referrer`: forms of the page would come without an Origin.
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-robots-tag", "noindex"),
];

#[cfg(test)]
mod tests;
