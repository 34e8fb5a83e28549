//! The comparison under load as a picture, `docs/numbers.svg`: drawn from the table in the README, so that the two never
//! differ.

use std::fs;
use std::path::PathBuf;

use super::table;
use crate::{Error, root};

/// Draws the table that is in the README now.
///
/// # Errors
/// When there is none, or the disk does not take the picture.
pub(crate) fn chart() -> Result<(), Error> {
    Ok(fs::write(picture(), render(&table_in_readme()?))?)
}

/// What is shown of one contender.
#[derive(Debug, PartialEq)]
struct Bar {
    name: String,
    /// Requests a second, as a share of those of plain nginx.
    of_nginx: f64,
    /// Microseconds of processor time for a request.
    cpu_us: f64,
}

fn table_in_readme() -> Result<Vec<Bar>, Error> {
    let readme = fs::read_to_string(root().join("README.md"))?;
    parse(&readme).ok_or_else(|| "the README has no table of `bench --load`".into())
}

fn parse(text: &str) -> Option<Vec<Bar>> {
    let (_, rows) = text.split_once(table::HEAD)?;
    let rows = rows.lines().take_while(|line| line.starts_with('|'));
    rows.map(bar).collect()
}

fn bar(row: &str) -> Option<Bar> {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let [_, name, _, of_nginx, .., cpu_per_100k, _, _] = cells.as_slice() else {
        return None;
    };
    Some(Bar {
        name: (*name).to_owned(),
        of_nginx: of_nginx.parse().ok()?,
        cpu_us: cpu_per_100k.parse::<f64>().ok()? * 10.0,
    })
}

fn render(bars: &[Bar]) -> String {
    let height = TOP + bars.len() * LINE + 8;
    let rows: Vec<String> = bars.iter().enumerate().map(row).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-label=\"Requests a second, of plain nginx\">\n\
         <style>{STYLE}</style>\n\
         <text class=\"head\" x=\"{LABELS}\" y=\"18\">requests a second, of plain nginx</text>\n\
         <text class=\"head\" x=\"{TIMES}\" y=\"18\">processor time</text>\n\
         {}\n</svg>\n",
        rows.join("\n")
    )
}

fn row((index, bar): (usize, &Bar)) -> String {
    let top = TOP + index * LINE;
    let (text, width) = (top + 17, bar.of_nginx * BARS as f64);
    let kind = match bar.name.starts_with("gateway") {
        true => "ours",
        false => "other",
    };
    let after = LABELS as f64 + width + 8.0;
    format!(
        "<text x=\"{}\" y=\"{text}\" class=\"name\">{}</text>\
         <rect x=\"{LABELS}\" y=\"{}\" width=\"{width:.0}\" height=\"16\" rx=\"2\" class=\"{kind}\"/>\
         <text x=\"{after:.0}\" y=\"{text}\">{:.2}</text>\
         <text x=\"{TIMES}\" y=\"{text}\">{:.1} us</text>",
        LABELS - 10,
        escape(&bar.name),
        top + 4,
        bar.of_nginx,
        bar.cpu_us
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn picture() -> PathBuf {
    root().join("docs/numbers.svg")
}

// In pixels.
const WIDTH: usize = 820;
const TOP: usize = 28;
const LINE: usize = 24;
const LABELS: usize = 320;
/// The length of nginx' own bar. Some may be longer.
const BARS: usize = 290;
const TIMES: usize = LABELS + BARS + 80;

/// Readable on a light page and on a dark one.
const STYLE: &str = "text{font:13px sans-serif;fill:#57606a}.name{text-anchor:end}.head{font-weight:bold}\
     .ours{fill:#1f6feb}.other{fill:#8c959f}\
     @media(prefers-color-scheme:dark){text{fill:#9da7b3}.ours{fill:#58a6ff}.other{fill:#6e7681}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_that_of_the_table_in_the_readme() {
        let drawn = fs::read_to_string(picture()).unwrap();

        assert!(
            drawn == render(&table_in_readme().unwrap()),
            "draw it again: cargo xtask bench --chart"
        );
    }

    #[test]
    fn a_row_says_how_many_requests_and_how_much_time() {
        let table = format!(
            "{}| a <b> | 100 | 0.50 | 0.60 | 1.0 | 2.0 | 1.1 | 2.48 | 1.78 |\n\nmore\n",
            table::HEAD
        );

        let bars = parse(&table).unwrap();

        let expected = Bar {
            name: "a <b>".to_owned(),
            of_nginx: 0.5,
            cpu_us: 24.8,
        };
        assert_eq!(bars, [expected]);
        assert!(render(&bars).contains(">a &lt;b><"));
        assert!(render(&bars).contains("width=\"145\""));
    }
}
