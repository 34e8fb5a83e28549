//! The hash of a password, as it stands in a users file.

use std::fmt;

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Argon2, Params};

/// A hash that takes so long to try that guessing does not pay: argon2id or bcrypt.
#[derive(Clone)]
pub(in super::super) enum PasswordHash {
    /// `$argon2id$v=19$m=…,t=…,p=…$…$…` (RFC 9106).
    Argon2id(Box<str>),
    /// `$2y$…`, `$2b$…` or `$2a$…`. Of a password it knows the first 72 bytes only, as everywhere.
    Bcrypt(Box<str>),
}

/// Why a text is no hash that is good enough.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(in super::super) enum HashError {
    /// The parts are not what the algorithm needs.
    #[error("not a complete {0} hash")]
    Broken(&'static str),
    /// Takes so much time or memory that one login would hold up the others.
    #[error("this {0} hash costs too much to try; {1}")]
    Costly(&'static str, &'static str),
    /// Fast to guess, or nothing that anybody knows.
    #[error(
        "expected an argon2id or bcrypt hash, as `htpasswd -nB <name>` or `argon2 <salt> -id -e` make them"
    )]
    Unknown,
}

impl PasswordHash {
    pub(super) fn parse(text: &str) -> Result<Self, HashError> {
        match text {
            text if text.starts_with("$argon2id$") => argon2id(text),
            text if ["$2y$", "$2b$", "$2a$"].contains(&text.get(..4).unwrap_or_default()) => {
                bcrypt(text)
            }
            _ => Err(HashError::Unknown),
        }
    }

    /// Whether it is the hash of this password. Takes as long whatever the answer is.
    pub(in super::super) fn verify(&self, password: &str) -> bool {
        match self {
            Self::Argon2id(hash) => Argon2::default()
                .verify_password(password.as_bytes(), &**hash)
                .is_ok(),
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        }
    }
}

/// A hash can be guessed at, so it is not for logs.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argon2id(_) => "Argon2id(..)",
            Self::Bcrypt(_) => "Bcrypt(..)",
        })
    }
}

fn argon2id(text: &str) -> Result<PasswordHash, HashError> {
    let broken = || HashError::Broken("argon2id");
    let hash = Phc::new(text).map_err(|_| broken())?;
    let params = Params::try_from(&hash).map_err(|_| broken())?;
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(broken());
    }
    if params.m_cost() > MAX_MEMORY || params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
        return Err(HashError::Costly("argon2id", "at most m=1048576,t=32,p=16"));
    }
    Ok(PasswordHash::Argon2id(text.into()))
}

fn bcrypt(text: &str) -> Result<PasswordHash, HashError> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| HashError::Broken("bcrypt"))?;
    match parts.get_cost() {
        0..MIN_COST => Err(HashError::Broken("bcrypt")),
        MIN_COST..=MAX_COST => Ok(PasswordHash::Bcrypt(text.into())),
        _ => Err(HashError::Costly("bcrypt", "a cost of at most 16")),
    }
}

/// In KiB.
const MAX_MEMORY: u32 = 1 << 20;
const MAX_PASSES: u32 = 32;
const MAX_LANES: u32 = 16;
const MIN_COST: u32 = 4;
const MAX_COST: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_fits_its_hash_and_no_other() {
        for hash in [ARGON2ID, BCRYPT, &BCRYPT.replacen("$2y$", "$2b$", 1)] {
            let hash = PasswordHash::parse(hash).unwrap();

            assert!(hash.verify("correct horse"));
            assert!(!hash.verify("correct horse "));
            assert!(!hash.verify(""));
        }
    }

    #[test]
    fn hash_that_is_quickly_guessed_is_refused() {
        for hash in [
            "",
            "secret",
            "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            "$apr1$abc$5TfYZxjUhAGdKNcWEsCYC1",
            "$6$salt$hash",
            "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$8tqz6Q0y7uw",
            "$2x$04$abcdefghijklmnopqrstuuMTdFvVVqJcJUCTBo0qvx9UX3WLx5Sni",
        ] {
            assert_eq!(
                PasswordHash::parse(hash).unwrap_err(),
                HashError::Unknown,
                "{hash}"
            );
        }
    }

    #[test]
    fn hash_that_is_cut_off_is_refused() {
        for hash in [ARGON2ID, BCRYPT] {
            let cut = &hash[..hash.len() - 5];

            // Of argon2id a shorter output would be a hash as well; of that one the last part is missing.
            let cut = cut.rsplit_once('$').map_or(cut, |(rest, _)| rest);

            assert!(matches!(
                PasswordHash::parse(cut),
                Err(HashError::Broken(_))
            ));
        }
    }

    #[test]
    fn hash_that_would_hold_up_everybody_is_refused() {
        let memory = ARGON2ID.replace("m=64", "m=1048577");
        let cost = BCRYPT.replace("$04$", "$17$");

        for hash in [memory, cost] {
            assert!(matches!(
                PasswordHash::parse(&hash),
                Err(HashError::Costly(..))
            ));
        }
    }

    #[test]
    fn hash_is_not_shown() {
        let shown = format!("{:?}", PasswordHash::parse(BCRYPT).unwrap());

        assert_eq!(shown, "Bcrypt(..)");
    }

    // Of `correct horse`, as cheap as can be.
    use super::super::tests::{ARGON2ID, BCRYPT};
}
