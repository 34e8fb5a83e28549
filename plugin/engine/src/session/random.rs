//! The only source of secrets: the operating system.

/// Fills an array from the operating system. A session id takes 32 bytes of it (OWASP asks for at least 8).
///
/// # Errors
/// When the operating system has no randomness to give. Nothing is substituted for it.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct RandomError(#[from] getrandom::Error);
