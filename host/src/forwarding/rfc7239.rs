//! The header `Forwarded` (RFC 7239, section 4).

/// What one proxy says about the request that it got.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Element {
    pub(super) node: Option<String>,
    pub(super) host: Option<String>,
    pub(super) proto: Option<String>,
}

/// Reads all elements of one line, from the client's end to ours. `None` when it is malformed: with a quote that a
/// client left open, what its proxy wrote behind it would be read as something else.
pub(super) fn elements(line: &str) -> Option<Vec<Element>> {
    let mut elements = Vec::new();
    let mut rest = line;
    loop {
        let (element, after) = element(rest)?;
        elements.extend(element);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(elements),
        }
    }
}

/// Reads up to the next comma. An empty element is none (RFC 9110, section 5.6.1).
fn element(text: &str) -> Option<(Option<Element>, &str)> {
    let mut element = Element::default();
    let mut rest = blank(text);
    let mut is_empty = true;
    while !rest.is_empty() && !rest.starts_with(',') {
        if let Some(next) = rest.strip_prefix(';') {
            rest = blank(next);
            continue;
        }
        let (name, value, after) = pair(rest)?;
        element.set(name, value)?;
        is_empty = false;
        rest = blank(after);
        if !rest.is_empty() && !rest.starts_with([',', ';']) {
            return None;
        }
    }
    Some(((!is_empty).then_some(element), rest))
}

fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = token(text)?;
    let rest = rest.strip_prefix('=')?;
    match rest.strip_prefix('"') {
        Some(rest) => quoted(rest).map(|(value, rest)| (name, value, rest)),
        None => token(rest).map(|(value, rest)| (name, value.to_owned(), rest)),
    }
}

fn token(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Reads on behind the opening quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// What a token may consist of (RFC 9110, section 5.6.2). Addresses with a colon have to be quoted, and some proxies do
/// not know that.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:[]".contains(c)
}

impl Element {
    /// `None` for a parameter that is there already.
    fn set(&mut self, name: &str, value: String) -> Option<()> {
        let slot = match name.to_ascii_lowercase().as_str() {
            "for" => &mut self.node,
            "host" => &mut self.host,
            "proto" => &mut self.proto,
            _ => return Some(()),
        };
        slot.replace(value).is_none().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_the_standard_are_read() {
        let line = "For=\"[2001:db8:cafe::17]:4711\" , for=192.0.2.60;proto=http;by=203.0.113.43;host=\"a:80\",, for=_x";

        let read = elements(line).unwrap();

        let nodes: Vec<_> = read.iter().map(|element| element.node.as_deref()).collect();
        let expected = ["[2001:db8:cafe::17]:4711", "192.0.2.60", "_x"].map(Some);
        assert_eq!(nodes, expected);
        assert_eq!(read[1].proto.as_deref(), Some("http"));
        assert_eq!(read[1].host.as_deref(), Some("a:80"));
    }

    #[test]
    fn quotes_hide_separators_and_nothing_else() {
        let read = elements("for=\"a, \\\"b;\";x=\"\"").unwrap();

        assert_eq!(read.len(), 1);
        assert_eq!(read[0].node.as_deref(), Some("a, \"b;"));
    }

    #[test]
    fn what_could_swallow_the_next_element_is_malformed() {
        for line in [
            "for=1.1.1.1;x=\", for=2.2.2.2",
            "for=\"1.1.1.1, for=2.2.2.2;proto=\"https\"",
            "for=1.1.1.1 for=2.2.2.2",
            "for=1.1.1.1;for=2.2.2.2",
            "for",
            "for=",
            "=1.1.1.1",
            "for=\"1.1.1.1\"x",
            "for=\"1.1.1.1\\",
            "for=<1.1.1.1>",
        ] {
            assert_eq!(elements(line), None, "{line}");
        }
    }

    #[test]
    fn nothing_says_nothing() {
        assert_eq!(elements(""), Some(Vec::new()));
        assert_eq!(elements(" , ;, "), Some(Vec::new()));
    }
}
