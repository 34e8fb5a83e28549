//! What is wrong with a token.

/// Why a token is refused. Names nothing of what is in it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// `alg` is `none`, a shared secret, unknown, or not among those that are allowed.
    #[error("its algorithm is not allowed")]
    Algorithm,
    /// It is for somebody else.
    #[error("it is for another audience")]
    Audience,
    /// It must not be understood in part, and there is a part that nobody here understands.
    #[error("it has critical extensions")]
    Critical,
    /// A claim that must be a date is none.
    #[error("`{0}` is no date")]
    Date(&'static str),
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// The provider says that it is not good, or not any more.
    #[error("the provider does not know it")]
    Inactive,
    /// Somebody else has issued it.
    #[error("it is of another issuer")]
    Issuer,
    /// The key that it names signs in another way.
    #[error("its key is of another kind than its algorithm")]
    KeyKind,
    /// A token of another kind: one that is to be shown to somebody else, or for another purpose.
    #[error("it is a token of another kind")]
    Kind,
    /// No token at all.
    #[error("it is malformed")]
    Malformed,
    /// A claim is missing that must be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// It was not asked for by this login.
    #[error("it belongs to another login")]
    Nonce,
    /// Its time has not come.
    #[error("it is not valid yet")]
    NotYet,
    /// It can be read by nobody but its provider, which cannot be asked.
    #[error("it is opaque, and there is nowhere to ask about it")]
    Opaque,
    /// It was not signed by the key that it names.
    #[error("its signature is wrong")]
    Signature,
    /// It is about somebody else.
    #[error("it is about another subject")]
    Subject,
    /// More than a token has to say.
    #[error("it is too long")]
    TooLong,
    /// The provider has no key of this name.
    #[error("its key is unknown")]
    UnknownKey,
    /// No provider of this name, or of this issuer, is configured.
    #[error("its provider is unknown")]
    UnknownProvider,
}

impl TokenError {
    /// The word in logs and metrics. It never changes from release to release.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Algorithm => "algorithm",
            Self::Audience => "audience",
            Self::Critical => "critical",
            Self::Date(_) => "date",
            Self::Expired => "expired",
            Self::Inactive => "inactive",
            Self::Issuer => "issuer",
            Self::KeyKind => "key-kind",
            Self::Kind => "kind",
            Self::Malformed => "malformed",
            Self::Missing(_) => "missing-claim",
            Self::Nonce => "nonce",
            Self::NotYet => "not-yet",
            Self::Opaque => "opaque",
            Self::Signature => "signature",
            Self::Subject => "subject",
            Self::TooLong => "too-long",
            Self::UnknownKey => "unknown-key",
            Self::UnknownProvider => "unknown-provider",
        }
    }
}
