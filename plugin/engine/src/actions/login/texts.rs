//! What the login page says.

use crate::page::texts;

// The table in `docs/login.md` has the same rows.
texts! {
    title "title" "Sign in";
    username "username" "User name";
    password "password" "Password";
    remember_me "rememberMe" "Stay signed in on this device";
    submit "submit" "Sign in";
    or "or" "or";
    continue_with "continueWith" "Continue with {provider}";
    signed_in_as "signedInAs" "You are signed in as {user}.";
    proceed "continue" "Continue";
    problem "error" "Error";
    credentials "credentials" "The user name or the password is wrong.";
    throttled "throttled" "Too many attempts. Try again in {seconds} s.";
    busy "busy" "Too many people are signing in right now. Try again in a moment.";
    unavailable "unavailable" "Signing in is not possible at the moment. Try again later.";
    refused "refused" "Signing in was cancelled or refused.";
    expired "expired" "That took too long, or was begun in another browser. Please sign in again.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Messages, PageTexts};

    #[test]
    fn every_text_can_be_replaced_and_is_documented() {
        let document = include_str!("../../../../../docs/login.md");
        for name in Texts::NAMES {
            let mut texts = Texts::usual();

            texts
                .replace(&Messages::from([((*name).to_owned(), "neu".to_owned())]))
                .unwrap();

            assert!(format!("{texts:?}").contains("\"neu\""), "{name}");
            assert!(document.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
