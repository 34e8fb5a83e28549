//! The only source of secrets: the operating system.

/// Fills an array with 256 bits from the operating system (OWASP asks for at least 64 in a session id).
///
/// # Errors
/// When the operating system has no randomness to give. Nothing is substituted for it.
pub(super) fn bytes() -> Result<[u8; 32], RandomError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct RandomError(#[from] getrandom::Error);
