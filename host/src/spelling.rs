//! One header, and all that servers take for it.

/// The letters and digits of a name, in lower case. CGI and its heirs read `X_User.Id` as `X-User-Id`, and some drop what
/// is no letter at all: names that are the same here may be the same header to an upstream.
pub(crate) fn fold(name: &str) -> impl Iterator<Item = u8> + Clone {
    name.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_lowercase())
}
