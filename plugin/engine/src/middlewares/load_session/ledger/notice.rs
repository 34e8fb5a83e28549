//! What a client has to be told.

/// What is to be told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Notice {
    #[default]
    Nothing,
    /// It has a new id, or a new end.
    Issue,
    /// Its key leads nowhere any more.
    Clear,
}
