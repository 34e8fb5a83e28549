//! The length that a message says it has.

/// Two lengths where there may be one, or one that is no number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ambiguous;

/// What all of them say. Some senders say it twice: that is fine as long as they say the same.
///
/// # Errors
/// [`Ambiguous`] where two readers could see two ends.
pub(crate) fn agreed<'a>(
    said: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<u64>, Ambiguous> {
    let mut agreed = None;
    for text in said {
        let length = number(text.trim_ascii()).ok_or(Ambiguous)?;
        if agreed.is_some_and(|agreed| agreed != length) {
            return Err(Ambiguous);
        }
        agreed = Some(length);
    }
    Ok(agreed)
}

/// Digits and nothing else: `u64` would parse a sign.
fn number(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| is_number)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_digits_and_say_the_same() {
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["5"]), Ok(Some(5)));
        assert_eq!(of(&["5", " 5\t", "05"]), Ok(Some(5)));
        for said in [&["5", "6"][..], &["+5"], &[""], &["0x5"], &["5 5"], &["-0"]] {
            assert_eq!(of(said), Err(Ambiguous), "{said:?}");
        }
        assert_eq!(of(&["18446744073709551615"]), Ok(Some(u64::MAX)));
        assert_eq!(of(&["18446744073709551616"]), Err(Ambiguous));
    }

    fn of(said: &[&str]) -> Result<Option<u64>, Ambiguous> {
        agreed(said.iter().map(|text| text.as_bytes()))
    }
}
