//! `usersFile`: users and the hashes of their passwords in a file, one in each line.

mod file;
mod hash;
mod list;

pub(super) use self::file::UsersFile;

#[cfg(test)]
pub(super) mod tests;
