//! Text that is safe in a page.

use std::fmt;

/// HTML in the making. What comes from outside goes in by [`text`](Self::text) only.
#[derive(Clone, Default)]
pub struct Html(String);

/// A text as it stands between tags or in quotes.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

impl Html {
    /// Adds markup that stands in this program.
    pub fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds a text of anybody's, between tags or as the value of an attribute in double quotes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&Escaped(text).to_string());
        self
    }

    /// Adds what is HTML already.
    pub fn html(&mut self, html: &Self) -> &mut Self {
        self.0.push_str(&html.0);
        self
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes a style sheet, in which nothing can end the element it stands in.
    pub(super) const fn style(css: String) -> Self {
        Self(css)
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                letter => write!(f, "{letter}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Html({} bytes)", self.0.len())
    }
}
