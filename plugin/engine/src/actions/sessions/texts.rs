//! What the page with the user's sessions says.

use crate::page::texts;

// The table in `docs/sessions-api.md` has the same rows.
texts! {
    title "title" "Your sessions";
    current "current" "This device";
    unknown "unknown" "Unknown device";
    address "address" "Address";
    seen "lastSeen" "Last used";
    begun "createdAt" "Signed in";
    ends "expiresAt" "Ends";
    end "end" "End session";
    sign_out "signOut" "Sign out";
    end_others "endOthers" "End all other sessions";
    ended "ended" "Sessions ended: {count}";
    all "all" "All sessions";
    newer "newer" "Newer sessions";
    older "older" "Older sessions";
    stranger "stranger" "You are not signed in.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Messages, PageTexts};

    #[test]
    fn every_text_can_be_replaced_and_is_documented() {
        let document = include_str!("../../../../../docs/sessions-api.md");
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
