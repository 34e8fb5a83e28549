//! What is asked for, and by whom.

/// The attributes of the session: about 1 KB, most of it a token, as services have it.
pub(super) fn session() -> String {
    let rest = "\"email\":\"anna@example.org\",\"roles\":[\"reader\",\"writer\"],\"locale\":\"de\",\"visits\":42";
    format!(
        r#"{{"user_id":"{USER}","authorization":"{}",{rest}}}"#,
        authorization()
    )
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
