//! Header names by number: resolved once at start, read without a lock at each request.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use abi::services::ServicesError;
use http::HeaderName;

/// All names that plugins have asked for.
#[derive(Debug)]
pub(crate) struct Names {
    // Filled from the front and never changed, so that a number is good for ever.
    slots: Box<[OnceLock<HeaderName>]>,
    numbers: Mutex<HashMap<HeaderName, u32>>,
}

impl Names {
    /// The name behind a number.
    pub(crate) fn name(&self, number: u32) -> Option<&HeaderName> {
        self.slots.get(number as usize)?.get()
    }

    /// The number of a name, a new one if it was never asked for.
    pub(crate) fn intern(&self, name: &str) -> Result<u32, ServicesError> {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| ServicesError::HeaderName)?;
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = numbers.get(&name) {
            return Ok(*number);
        }
        let number = numbers.len();
        let slot = self.slots.get(number).ok_or(ServicesError::HeaderName)?;
        slot.get_or_init(|| name.clone());
        let number = u32::try_from(number).map_err(|_| ServicesError::HeaderName)?;
        numbers.insert(name, number);
        Ok(number)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            slots: (0..CAPACITY).map(|_| OnceLock::new()).collect(),
            numbers: Mutex::default(),
        }
    }
}

// Far beyond what configurations name; a bound because names are kept for ever.
const CAPACITY: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_number_in_any_case() {
        let names = Names::default();

        let number = names.intern("X-User-Id").unwrap();

        assert_eq!(names.intern("x-user-id"), Ok(number));
        assert_ne!(names.intern("x-user"), Ok(number));
        assert_eq!(names.name(number).unwrap(), "x-user-id");
    }

    #[test]
    fn what_is_no_header_name_has_no_number() {
        let names = Names::default();

        for text in ["", "a b", "a:b", "a\r\n", "ä"] {
            assert_eq!(
                names.intern(text),
                Err(ServicesError::HeaderName),
                "{text:?}"
            );
        }
        assert!(names.name(0).is_none());
    }
}
