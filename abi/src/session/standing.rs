//! What has become of a session since it was loaded.

/// Whether a session still stands, for somebody who goes on serving its user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Standing {
    /// It does, as far as anybody knows.
    Good = 0,
    /// It was ended, here or elsewhere, or its time is over.
    Over = 1,
    /// There is no session that could end: the visitor has none, or ended it with this very request.
    Nobodys = 2,
}

impl Standing {
    /// A code that is not known yet says nothing that would have to be acted on.
    pub(crate) const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Over,
            2 => Self::Nobodys,
            _ => Self::Good,
        }
    }
}
