//! How pages look.

use std::path::Path;
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::html::Html;

/// The style sheet of all pages, with what an operator has put behind it.
#[derive(Clone, Debug)]
pub struct PageTheme {
    style: Html,
    hash: Box<str>,
}

/// Why a file is no theme.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// It would end the element that it stands in.
    #[error("`</` is not allowed in it: the rest would not be CSS any more")]
    Markup,
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A page carries it along each time.
    #[error("{0} bytes are too many for a page; 65536 are allowed")]
    TooLarge(usize),
}

impl PageTheme {
    /// The usual look.
    pub fn plain() -> Self {
        Self::with("")
    }

    /// The usual look, changed by a file of CSS.
    ///
    /// # Errors
    /// When the file cannot be read, or cannot stand in a page.
    pub fn read(file: &Path) -> Result<Self, ThemeError> {
        let css = fs::read_to_string(file)?;
        match css.len() {
            _ if css.contains("</") => Err(ThemeError::Markup),
            len if len > MAX_LENGTH => Err(ThemeError::TooLarge(len)),
            _ => Ok(Self::with(&css)),
        }
    }

    fn with(css: &str) -> Self {
        // A browser makes LF of every line end before it compares hashes.
        let css = css.replace("\r\n", "\n").replace('\r', "\n");
        let style = format!("{}{css}", include_str!("style.css"));
        let hash = STANDARD.encode(Sha256::digest(&style));
        Self {
            hash: format!("sha256-{hash}").into(),
            style: Html::style(style),
        }
    }

    pub(super) const fn style(&self) -> &Html {
        &self.style
    }

    /// What a policy calls the style sheet.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }
}

impl Default for PageTheme {
    fn default() -> Self {
        Self::plain()
    }
}

const MAX_LENGTH: usize = 65_536;
