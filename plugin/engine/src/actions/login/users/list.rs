//! The lines of a users file.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use super::hash::{HashError, PasswordHash};

/// Users and the hashes of their passwords.
pub(in super::super) struct Users {
    hashes: Box<[PasswordHash]>,
    places: HashMap<Box<str>, usize>,
    /// Says whose hash is tried for a name that nobody has.
    strangers: RandomState,
}

/// What is wrong with a line, by its number, from 1. Says nothing of what is in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(in super::super) struct LineError {
    pub(super) line: usize,
    pub(super) problem: LineProblem,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(in super::super) enum LineProblem {
    #[error("expected `name:hash`")]
    Form,
    #[error("{0}")]
    Hash(HashError),
    #[error("the same name as in line {0}")]
    Twice(usize),
}

impl Users {
    /// Reads lines of `name:hash`. Empty ones and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// Every line that is wrong. One is enough to refuse all: a user that is missing is noticed late.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<LineError>> {
        let mut errors = Vec::new();
        let mut hashes = Vec::new();
        let mut places = HashMap::new();
        let mut lines = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = index + 1;
            let read = read(line).and_then(|(name, hash)| match lines.insert(name, number) {
                None => Ok((name, hash)),
                Some(earlier) => Err(LineProblem::Twice(earlier)),
            });
            match read {
                Ok((name, hash)) => {
                    places.insert(name.into(), hashes.len());
                    hashes.push(hash);
                }
                Err(problem) => errors.push(LineError {
                    line: number,
                    problem,
                }),
            }
        }
        match errors.is_empty() {
            true => Ok(Self {
                hashes: hashes.into(),
                places,
                strangers: RandomState::new(),
            }),
            false => Err(errors),
        }
    }

    /// Whether this is the password of this user. `try_hash` compares; it is called once, whoever asks.
    ///
    /// For a name that nobody has, somebody else's hash is tried, always the same one for the same name. So strangers
    /// cost what users cost, also where some have costlier hashes than others.
    pub(in super::super) fn check(
        &self,
        name: &str,
        try_hash: impl FnOnce(&PasswordHash) -> bool,
    ) -> bool {
        if let Some(place) = self.places.get(name) {
            return try_hash(&self.hashes[*place]);
        }
        if let Some(hash) = self.decoy(name) {
            try_hash(hash);
        }
        false
    }

    /// How many there are.
    pub(in super::super) const fn len(&self) -> usize {
        self.hashes.len()
    }

    fn decoy(&self, name: &str) -> Option<&PasswordHash> {
        let place = self.strangers.hash_one(name) % self.hashes.len().max(1) as u64;
        self.hashes.get(usize::try_from(place).unwrap_or_default())
    }
}

fn read(line: &str) -> Result<(&str, PasswordHash), LineProblem> {
    let (name, hash) = line.split_once(':').ok_or(LineProblem::Form)?;
    if name.is_empty() || name.trim() != name {
        return Err(LineProblem::Form);
    }
    let hash = PasswordHash::parse(hash).map_err(LineProblem::Hash)?;
    Ok((name, hash))
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.hashes.len())
    }
}
