//! Whether somebody would rather see a page than data.

/// Whether the values of `Accept` prefer HTML to JSON (RFC 9110, section 12.5.1). What takes anything gets data: programs
/// say `*/*`, browsers name HTML.
pub(super) fn prefers_page<'a>(values: impl Iterator<Item = &'a [u8]>) -> bool {
    let (mut html, mut json) = (0, 0);
    for range in values.flat_map(|value| value.split(|byte| *byte == b',')) {
        let Ok(range) = std::str::from_utf8(range) else {
            continue;
        };
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1000, thousandths);
        match &*name {
            "text/html" | "application/xhtml+xml" => html = html.max(weight),
            "application/json" | "application/*" => json = json.max(weight),
            _ => {}
        }
    }
    html > 0 && html >= json
}

/// A weight from 0 to 1; what is none counts as nothing.
fn thousandths(weight: &str) -> u32 {
    let weight: f32 = weight.parse().unwrap_or_default();
    // At most 1000 after the clamp, and never a sign.
    (weight.clamp(0.0, 1.0) * 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_pages_and_programs_get_data() {
        for (accept, is_page) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("text/html", true),
            ("TEXT/HTML;level=1;q=0.5", true),
            ("application/json;q=0.4, text/html;q=0.5", true),
            ("*/*", false),
            ("", false),
            ("application/json", false),
            ("application/json, text/html;q=0.9", false),
            ("text/html;q=0", false),
            ("text/html;q=nan", false),
            ("text/html;q=-1", false),
            ("\u{fffd},text/htmlx", false),
        ] {
            assert_eq!(
                prefers_page([accept.as_bytes()].into_iter()),
                is_page,
                "{accept}"
            );
        }
    }

    #[test]
    fn nothing_is_preferred_by_who_says_nothing() {
        assert!(!prefers_page(std::iter::empty()));
    }
}
