//! What to answer to a name that nobody knows.

/// Ends a fault about an unknown name: the closest known one, if any is close, and all known ones.
pub fn known<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if known.is_empty() {
        return "there are none".to_owned();
    }
    let list = format!("known are {}", known.join(", "));
    match closest(name, &known) {
        Some(candidate) => format!("did you mean `{candidate}`? {list}"),
        None => list,
    }
}

fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |candidate: &&str| {
        strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase())
    };
    let best = known.iter().copied().min_by_key(distance)?;
    // A third of the letters may differ: `cookieSecur` is a typo of `cookieSecure`, `port` is none of `host`.
    (distance(&best) <= name.chars().count() / 3).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_name_is_suggested() {
        let text = known("cookeiSecure", ["cookiePath", "cookieSecure"]);

        assert_eq!(
            text,
            "did you mean `cookieSecure`? known are cookiePath, cookieSecure"
        );
    }

    #[test]
    fn a_far_name_is_not() {
        assert_eq!(known("zebra", ["host", "port"]), "known are host, port");
        assert_eq!(known("zebra", []), "there are none");
    }
}
