//! `cargo xtask run`

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::{Error, layout, step};

/// Builds, lays out an example in the target directory and becomes the gateway, so that Ctrl-C reaches it.
///
/// # Errors
/// When an option is wrong, something does not build, or the gateway cannot be started.
pub(crate) fn run(options: &[&str]) -> Result<(), Error> {
    let Options {
        profile,
        port,
        example,
    } = Options::parse(options)?;
    let directory = layout::target_directory()?.join(example);
    layout::lay_out_example(example, &directory, profile)?;
    let config = directory.join("config");
    move_to(port, &config)?;
    step::announce(&format!(
        "{}/gateway run --config {}",
        directory.display(),
        config.display()
    ));
    let shown = match port {
        0 => "<the port in the log>".to_owned(),
        port => port.to_string(),
    };
    let hint = match example {
        QUICKSTART => TRY,
        _ => OPEN,
    };
    eprintln!("{}", hint.replace(DEFAULT_PORT, &shown));
    let mut gateway = Command::new(directory.join("gateway"));
    let failed = gateway.arg("run").arg("--config").arg(config).exec();
    Err(format!("the gateway cannot be started: {failed}").into())
}

#[derive(Debug)]
struct Options<'a> {
    profile: &'static str,
    port: u16,
    example: &'a str,
}

impl<'a> Options<'a> {
    fn parse(words: &[&'a str]) -> Result<Self, Error> {
        let mut options = Self {
            profile: "dev",
            port: DEFAULT_PORT.parse()?,
            example: QUICKSTART,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--release" => options.profile = "release",
                "--port" => {
                    let port = words.next().ok_or("--port needs a number")?;
                    options.port = port.parse().map_err(|_| format!("{port} is no port"))?;
                }
                "--example" => {
                    let name = words.next().filter(|name| RUNNABLE.contains(name));
                    let known = RUNNABLE.join(", ");
                    options.example =
                        name.ok_or_else(|| format!("--example needs one of {known}"))?;
                }
                other => return Err(format!("run knows no {other}").into()),
            }
        }
        Ok(options)
    }
}

/// Changes the port of the copy that is run, not of the example.
fn move_to(port: u16, config: &Path) -> Result<(), Error> {
    for file in layout::files(config)? {
        if file
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let path = config.join(file);
            let text = fs::read_to_string(&path)?;
            fs::write(path, text.replace(DEFAULT_PORT, &port.to_string()))?;
        }
    }
    Ok(())
}

const QUICKSTART: &str = "quickstart";

/// Those that need nothing behind them.
const RUNNABLE: [&str; 2] = [QUICKSTART, "login"];

const DEFAULT_PORT: &str = "8090";

const TRY: &str = "
    In another terminal:

    curl -si -c jar http://127.0.0.1:8090/login
    curl -s -b jar http://127.0.0.1:8090/dashboard
    curl -s -H 'X-User-Id: mallory' http://127.0.0.1:8090/dashboard

    Ctrl-C stops the gateway.
";

const OPEN: &str = "
    Open http://localhost:8090/ in a browser. The comments of gateway.yaml say who may log in.

    Ctrl-C stops the gateway.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_that_run_are_there_and_no_others_are_taken() {
        for name in RUNNABLE {
            let options = Options::parse(&["--example", name, "--port", "0"]).unwrap();
            assert_eq!((options.example, options.port), (name, 0));
            assert!(crate::root().join("examples").join(name).is_dir(), "{name}");
        }
        for words in [&["--example", "../.."][..], &["--example"], &["--exmaple"]] {
            Options::parse(words).unwrap_err();
        }
    }
}
