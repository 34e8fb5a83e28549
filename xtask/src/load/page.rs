//! What is asked for, and by whom.

/// The attributes of the session: about 1 KB, most of it a token, as services have it.
pub(super) fn session() -> String {
    let rest = "\"email\":\"anna@example.org\",\"roles\":[\"reader\",\"writer\"],\"locale\":\"de\",\"visits\":42";
    format!(
        r#"{{"user_id":"{USER}","authorization":"{}",{rest}}}"#,
        authorization()
    )
}

/// The same as a form has it.
pub(super) fn form() -> String {
    let authorization = authorization().replace(' ', "+");
    let rest = "email=anna%40example.org&roles=reader%2Cwriter&locale=de&visits=42";
    format!("user_id={USER}&authorization={authorization}&{rest}")
}

/// A token of 600 bytes.
pub(super) fn authorization() -> String {
    format!("Bearer {}", "t".repeat(593))
}

/// 1 KB.
pub(super) fn body() -> String {
    "x".repeat(1024)
}

pub(super) const USER: &str = "4711";
