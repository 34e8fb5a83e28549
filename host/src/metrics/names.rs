//! What Prometheus can read: one name that it cannot costs the operator all numbers of the gateway.

/// Holds a metric and its labels against the text format of Prometheus 0.0.4.
///
/// # Errors
/// With what is wrong, and what is allowed.
pub(super) fn check(name: &str, labels: &[(&str, &str)]) -> Result<(), String> {
    if !is_word(name, b"_:") {
        return Err(
            "expected a name of letters, digits, `_` and `:`, not a digit first".to_owned(),
        );
    }
    for (index, (label, _)) in labels.iter().enumerate() {
        if !is_word(label, b"_") {
            return Err(format!(
                "the label `{}`: expected letters, digits and `_`, not a digit first",
                label.escape_debug()
            ));
        }
        if labels[..index].iter().any(|(before, _)| before == label) {
            return Err(format!("the label `{label}` is there twice"));
        }
    }
    Ok(())
}

fn is_word(text: &str, marks: &[u8]) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || marks.contains(&byte);
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prometheus_reads_is_allowed() {
        for name in ["a", "_a", "job:rate5m", "session_loads_total"] {
            assert_eq!(
                check(name, &[("_b2", "any {text}"), ("c", "")]),
                Ok(()),
                "{name}"
            );
        }
    }

    #[test]
    fn what_it_does_not_read_is_refused() {
        for name in ["", "1st", "a b", "a{}", "a-b", "a\nb", "\u{e4}"] {
            assert!(check(name, &[]).is_err(), "{name}");
        }
        for label in ["", "1st", "a b", "a:b", "a-b", "a\"b"] {
            assert!(check("a", &[(label, "")]).is_err(), "{label}");
        }
    }

    #[test]
    fn a_label_is_there_once() {
        let problem = check("a", &[("b", "1"), ("c", "2"), ("b", "3")]);

        assert_eq!(problem, Err("the label `b` is there twice".to_owned()));
    }
}
