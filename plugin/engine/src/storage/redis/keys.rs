//! What an operator has to change when a server does not let us in, by the names of the keys.

/// Where it is written how servers let us in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Keys {
    /// In keys of their own.
    Parts,
    /// In `highAvailability`, for the sentinels.
    Sentinels,
    /// In `url`.
    Url,
}

impl Keys {
    pub(super) const fn login(self) -> &'static str {
        match self {
            Self::Parts => "`username` and `password`",
            Self::Sentinels => "`sentinelUsername` and `sentinelPassword`",
            Self::Url => "user and password in `url`",
        }
    }

    pub(super) const fn database(self) -> &'static str {
        match self {
            Self::Parts | Self::Sentinels => "`databaseIndex`",
            Self::Url => "the database in `url`",
        }
    }

    pub(super) const fn tls(self) -> &'static str {
        match self {
            Self::Parts | Self::Sentinels => "`tls.enabled`",
            Self::Url => "`tls.enabled`, or the scheme of `url`",
        }
    }
}
