//! The page with the user's sessions.

use abi::config::Faults;
use abi::{Exchange, Failure, Services};

use super::super::times::{rfc3339, to_the_minute};
use super::agent::known_as;
use super::config::SessionsPageConfig;
use super::listing::{Item, Listed, Range};
use super::texts::Texts;
use crate::page::{Html, Page, PageTexts, PageTheme, Pages, Width, is_language};

/// The page, ready to be filled in.
#[derive(Debug)]
pub(super) struct View {
    pages: Pages,
    texts: Texts,
    language: String,
}

impl View {
    pub(super) fn new(config: &SessionsPageConfig, services: &Services) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let language = config.language.as_deref().unwrap_or("en");
        if !is_language(language) {
            let message =
                format!("`{language}` is no language tag; expected one such as `en` or `de-AT`");
            faults.push("language", message);
        }
        let texts = Texts::configured(config.messages_file.as_ref(), &config.messages);
        let texts = faults.absorb(texts);
        let theme = config.theme_file.as_ref().map(|file| {
            PageTheme::read(file)
                .map_err(|error| Faults::at("themeFile", format!("`{}`: {error}", file.display())))
        });
        let theme = faults.absorb(theme.transpose());
        let (Some(mut texts), Some(theme), true) = (texts, theme, faults.is_empty()) else {
            return Err(faults);
        };
        if let Some(title) = &config.title {
            texts.title.clone_from(title);
        }
        let pages = Pages::new(theme.unwrap_or_default(), services)
            .map_err(|error| Faults::at("", error.to_string()))?;
        Ok(Self {
            pages,
            texts,
            language: language.to_owned(),
        })
    }

    /// All sessions, or the part that was asked for.
    pub(super) fn list(
        &self,
        exchange: &mut Exchange<'_>,
        listed: &Listed<'_>,
    ) -> Result<(), Failure> {
        let below = format!("./{}/", last_segment(exchange.path()));
        let mut html = self.head();
        if let Some(ended) = ended(exchange.query().unwrap_or_default()) {
            html.markup("<p class=\"notice\" role=\"status\">")
                .text(&self.texts.ended.replace("{count}", &ended.to_string()))
                .markup("</p>\n");
        }
        self.sessions(&mut html, listed, &below);
        self.pager(&mut html, listed);
        if listed.total > 1 {
            html.markup("<form method=\"post\" action=\"?\">\n")
                .markup(METHOD)
                .markup("<button class=\"quiet\" type=\"submit\">")
                .text(&self.texts.end_others)
                .markup("</button>\n</form>\n");
        }
        self.respond(exchange, 200, &html)
    }

    /// One of them.
    pub(super) fn one(
        &self,
        exchange: &mut Exchange<'_>,
        listed: &Listed<'_>,
    ) -> Result<(), Failure> {
        let list = format!("../{}", list_of(exchange.path()));
        let mut html = self.head();
        self.sessions(&mut html, listed, "./");
        html.markup("<p><a href=\"")
            .text(&list)
            .markup("\">")
            .text(&self.texts.all)
            .markup("</a></p>\n");
        self.respond(exchange, 200, &html)
    }

    /// Somebody who is not logged in.
    pub(super) fn stranger(&self, exchange: &mut Exchange<'_>) -> Result<(), Failure> {
        let mut html = self.head();
        html.markup("<p class=\"notice\">")
            .text(&self.texts.stranger)
            .markup("</p>\n");
        self.respond(exchange, 401, &html)
    }

    fn head(&self) -> Html {
        let mut html = Html::default();
        html.markup("<h1>")
            .text(&self.texts.title)
            .markup("</h1>\n");
        html
    }

    fn sessions(&self, html: &mut Html, listed: &Listed<'_>, below: &str) {
        html.markup("<ul class=\"sessions\">\n");
        for item in &listed.sessions {
            html.markup("<li>\n");
            self.session(html, *item, below);
            html.markup("</li>\n");
        }
        html.markup("</ul>\n");
    }

    fn session(&self, html: &mut Html, Item { entry, is_current }: Item<'_>, below: &str) {
        let agent = entry.user_agent.as_deref().unwrap_or_default();
        let name = known_as(agent).unwrap_or_else(|| self.texts.unknown.clone());
        let heading = format!("session-{}", entry.handle);
        html.markup("<div>\n<h2 id=\"")
            .text(&heading)
            .markup("\">")
            .text(&name);
        if is_current {
            html.markup(" <span class=\"badge\">")
                .text(&self.texts.current)
                .markup("</span>");
        }
        html.markup("</h2>\n<dl>\n");
        if let Some(ip) = entry.ip {
            html.markup("<dt>")
                .text(&self.texts.address)
                .markup("</dt><dd>")
                .text(&ip.to_string())
                .markup("</dd>\n");
        }
        for (text, time) in [
            (&self.texts.seen, entry.seen_at),
            (&self.texts.begun, entry.created_at),
            (&self.texts.ends, entry.expires_at),
        ] {
            if let (Some(exact), Some(shown)) = (rfc3339(time), to_the_minute(time)) {
                html.markup("<dt>")
                    .text(text)
                    .markup("</dt><dd><time datetime=\"")
                    .text(&exact)
                    .markup("\">")
                    .text(&shown)
                    .markup("</time></dd>\n");
            }
        }
        let (button, class) = match is_current {
            true => (&self.texts.sign_out, "quiet"),
            false => (&self.texts.end, ""),
        };
        html.markup("</dl>\n</div>\n<form method=\"post\" action=\"")
            .text(below)
            .text(&entry.handle)
            .markup("\">\n")
            .markup(METHOD)
            .markup("<button id=\"end-")
            .text(&entry.handle)
            .markup("\" class=\"")
            .text(class)
            // Read with what it is about: a page full of buttons of one name tells nobody anything.
            .markup("\" type=\"submit\" aria-labelledby=\"end-")
            .text(&entry.handle)
            .markup(" ")
            .text(&heading)
            .markup("\">")
            .text(button)
            .markup("</button>\n</form>\n");
    }

    fn pager(&self, html: &mut Html, Listed { range, total, .. }: &Listed<'_>) {
        let next = range.offset.saturating_add(range.limit);
        let earlier = (range.offset > 0).then(|| range.offset.saturating_sub(range.limit));
        let later = (next < *total).then_some(next);
        if earlier.is_none() && later.is_none() {
            return;
        }
        html.markup("<nav class=\"pager\">\n");
        let links = [(earlier, &self.texts.newer), (later, &self.texts.older)];
        for (offset, text) in links {
            if let Some(offset) = offset {
                let Range { limit, .. } = range;
                html.markup("<a href=\"")
                    .text(&format!("?limit={limit}&offset={offset}"))
                    .markup("\">")
                    .text(text)
                    .markup("</a>\n");
            }
        }
        html.markup("</nav>\n");
    }

    fn respond(
        &self,
        exchange: &mut Exchange<'_>,
        status: u16,
        html: &Html,
    ) -> Result<(), Failure> {
        let page = Page {
            language: &self.language,
            title: &self.texts.title,
            content: html,
            form_targets: "",
            width: Width::Wide,
        };
        self.pages.respond(exchange, status, &page)
    }
}

/// The name of the list, seen from one of its sessions: the last segment but one.
pub(super) fn list_of(path: &str) -> &str {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    last_segment(parent)
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// How many sessions a query says were ended. Anybody can write one: it decides nothing but which text is shown.
fn ended(query: &str) -> Option<u32> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, count) = pairs.find(|(name, _)| name == "ended")?;
    count.parse().ok()
}

const METHOD: &str = "<input type=\"hidden\" name=\"_method\" value=\"DELETE\">\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_found_from_one_of_its_sessions() {
        assert_eq!(list_of("/sessions/0123456789abcdef"), "sessions");
        assert_eq!(list_of("/my/devices/0123456789abcdef"), "devices");
        assert_eq!(last_segment("/my/devices"), "devices");
    }
}
