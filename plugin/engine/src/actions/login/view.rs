//! The login page.

use abi::config::Faults;
use abi::{Exchange, Failure, Services};

use super::config::LoginPageConfig;
use super::problem::Problem;
use super::texts::Texts;
use crate::actions::answers::whole_seconds;
use crate::page::{Html, Page, PageTexts, PageTheme, Pages, Width, is_language};

/// The page, ready to be filled in.
#[derive(Debug)]
pub(super) struct View {
    pages: Pages,
    texts: Texts,
    language: String,
    offers_remember_me: bool,
    /// Where a form may lead in the end: other sites that people return to.
    form_targets: String,
}

/// What one request sees.
#[derive(Debug, Default)]
pub(super) struct Sight<'a> {
    /// Whether there is a form for a user name and a password.
    pub(super) has_form: bool,
    /// What else there is to choose.
    pub(super) ways: Vec<Way>,
    /// The field that carries the return target, and the target.
    pub(super) return_to: Option<(&'a str, &'a str)>,
    /// Who is logged in already, and where they can go on to.
    pub(super) signed_in: Option<(&'a str, &'a str)>,
    pub(super) problem: Option<Problem>,
}

/// Somebody else to log in with.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) href: String,
    pub(super) title: String,
}

impl View {
    pub(super) fn new(
        config: &LoginPageConfig,
        form_targets: String,
        services: &Services,
    ) -> Result<Self, Faults> {
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
            offers_remember_me: config.remember_me,
            form_targets,
        })
    }

    pub(super) fn show(
        &self,
        exchange: &mut Exchange<'_>,
        status: u16,
        sight: &Sight<'_>,
    ) -> Result<(), Failure> {
        let title = match sight.problem {
            Some(_) => format!("{}: {}", self.texts.problem, self.texts.title),
            None => self.texts.title.clone(),
        };
        let page = Page {
            language: &self.language,
            title: &title,
            content: &self.content(sight),
            form_targets: &self.form_targets,
            width: Width::Narrow,
        };
        self.pages.respond(exchange, status, &page)
    }

    fn content(&self, sight: &Sight<'_>) -> Html {
        let mut html = Html::default();
        html.markup("<h1>")
            .text(&self.texts.title)
            .markup("</h1>\n");
        if let Some(problem) = sight.problem {
            html.markup("<p class=\"problem\" id=\"problem\" role=\"alert\">")
                .text(&self.texts.of(problem))
                .markup("</p>\n");
        }
        if let Some((user, target)) = sight.signed_in {
            html.markup("<div class=\"notice\">\n<p>")
                .text(&self.texts.signed_in_as.replace("{user}", user))
                .markup("</p>\n<a href=\"")
                .text(target)
                .markup("\">")
                .text(&self.texts.proceed)
                .markup("</a>\n</div>\n");
        }
        if sight.has_form {
            self.form(&mut html, sight);
        }
        if sight.has_form && !sight.ways.is_empty() {
            html.markup("<p class=\"or\">")
                .text(&self.texts.or)
                .markup("</p>\n");
        }
        self.ways(&mut html, sight);
        html
    }

    fn ways(&self, html: &mut Html, sight: &Sight<'_>) {
        if sight.ways.is_empty() {
            return;
        }
        let class = match sight.has_form {
            true => "<li><a class=\"button quiet\" href=\"",
            false => "<li><a class=\"button\" href=\"",
        };
        // Said to be a list, because lists without marks are none to some screen readers.
        html.markup("<ul class=\"ways\" role=\"list\">\n");
        for way in &sight.ways {
            let text = self.texts.continue_with.replace("{provider}", &way.title);
            html.markup(class)
                .text(&way.href)
                .markup("\">")
                .text(&text)
                .markup("</a></li>\n");
        }
        html.markup("</ul>\n");
    }

    fn form(&self, html: &mut Html, sight: &Sight<'_>) {
        // `?`: this path without its query, wherever it is mounted.
        html.markup("<form method=\"post\" action=\"?\">\n");
        if let Some((name, target)) = sight.return_to {
            html.markup("<input type=\"hidden\" name=\"")
                .text(name)
                .markup("\" value=\"")
                .text(target)
                .markup("\">\n");
        }
        let state = match sight.problem {
            Some(Problem::Credentials) => " aria-invalid=\"true\" aria-describedby=\"problem\"",
            _ => "",
        };
        html.markup("<div class=\"field\">\n<label for=\"username\">")
            .text(&self.texts.username)
            .markup("</label>\n<input id=\"username\" name=\"username\" type=\"text\" autocomplete=\"username\" autocapitalize=\"none\" autocorrect=\"off\" spellcheck=\"false\" required autofocus")
            .markup(state)
            .markup(">\n</div>\n<div class=\"field\">\n<label for=\"password\">")
            .text(&self.texts.password)
            .markup("</label>\n<input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required")
            .markup(state)
            .markup(">\n</div>\n");
        if self.offers_remember_me {
            html.markup("<div class=\"check\">\n<input id=\"remember_me\" name=\"remember_me\" type=\"checkbox\" value=\"true\">\n<label for=\"remember_me\">")
                .text(&self.texts.remember_me)
                .markup("</label>\n</div>\n");
        }
        html.markup("<button type=\"submit\">")
            .text(&self.texts.submit)
            .markup("</button>\n</form>\n");
    }
}

impl Texts {
    fn of(&self, problem: Problem) -> String {
        match problem {
            Problem::Credentials => self.credentials.clone(),
            Problem::Throttled(wait) => {
                let seconds = whole_seconds(wait).to_string();
                self.throttled.replace("{seconds}", &seconds)
            }
            Problem::Busy => self.busy.clone(),
            Problem::Unavailable => self.unavailable.clone(),
            Problem::Refused => self.refused.clone(),
            Problem::Expired => self.expired.clone(),
        }
    }
}
