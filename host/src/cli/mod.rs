//! The command line.

mod sessions;

use std::fmt::Write;
use std::path::PathBuf;

use abi::plugin::Kind;
use clap::{Args, Parser, Subcommand};
use http::Method;

pub use self::sessions::{Meant, Named, Output, Sessions, SessionsError, Which, Whose};

use crate::Gateway;
use crate::config::{Config, Fault, Reference, Route};

/// A small gateway that loads plugins.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the gateway can be asked to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve requests until SIGTERM, then finish what is running.
    #[command(after_help = SIGNALS)]
    Run(Directory),
    /// Read everything, plugins included, and report every fault at once. Exits with 0 or 1. Makes and locks nothing, so
    /// that it can be run beside a gateway.
    #[command(
        after_help = "Example: gateway check --config /etc/gateway && systemctl reload gateway"
    )]
    Check(Directory),
    /// Print which requests go through which middlewares to which action.
    #[command(after_help = "Example: gateway routes --config /etc/gateway")]
    Routes(Directory),
    /// Print what each plugin offers: components, versions, one line of help each.
    #[command(after_help = "Example: gateway plugins --config /etc/gateway")]
    Plugins(Directory),
    /// Print the JSON Schema of all configuration files, components included, for editors.
    #[command(after_help = "Example: gateway schema --config /etc/gateway > gateway.schema.json")]
    Schema(Directory),
    /// List and end the sessions of a user, in the configured storage.
    #[command(subcommand, after_help = SESSIONS)]
    Sessions(Sessions),
}

/// Where the configuration is.
#[derive(Args, Clone, Debug)]
pub struct Directory {
    /// The directory whose *.yaml files are the configuration.
    #[arg(long, value_name = "DIR")]
    pub config: PathBuf,
}

/// All faults, one per line, and how many there are.
pub fn faults(faults: &[Fault]) -> String {
    let mut text = String::new();
    for fault in faults {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{fault}");
    }
    let _ = write!(
        text,
        "{} {}",
        faults.len(),
        if faults.len() == 1 { "fault" } else { "faults" }
    );
    text
}

/// The routes as a table: methods, host and path, then what a request passes on its way.
pub fn routes(config: &Config) -> String {
    let rows: Vec<[String; 3]> = config
        .routes
        .iter()
        .map(|route| row(config, route))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let (methods, place) = (width(0), width(1));
    let mut text = String::new();
    for [method, path, way] in &rows {
        let _ = writeln!(text, "{method:methods$}  {path:place$}  {way}");
    }
    text
}

/// What a good configuration consists of.
pub fn summary(gateway: &Gateway) -> String {
    let config = gateway.config();
    let count = |number: usize, noun: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {noun}{plural}")
    };
    format!(
        "{}: {}, {}, {}, {}, {}: no fault\n",
        config.dir.display(),
        count(config.plugins.len(), "plugin"),
        count(config.storages.len(), "storage"),
        count(config.middlewares.len(), "middleware"),
        count(config.actions.len(), "action"),
        count(config.routes.len(), "route"),
    )
}

/// What each plugin offers, and after them what the gateway brings itself.
pub fn plugins(gateway: &Gateway) -> String {
    let mut text = String::new();
    for (path, plugin) in gateway.plugins() {
        let _ = writeln!(
            text,
            "{} {} (plugin interface {}) from {}\n  {}",
            plugin.name,
            plugin.version,
            abi::INTERFACE,
            path.display(),
            plugin.help
        );
        let prefix = format!("plugins.{}.", plugin.name);
        components(gateway, &prefix, &mut text);
    }
    let _ = writeln!(text, "gateway {}", env!("CARGO_PKG_VERSION"));
    components(gateway, "gateway.", &mut text);
    text
}

fn components(gateway: &Gateway, prefix: &str, text: &mut String) {
    for kind in [Kind::Middlewares, Kind::Actions, Kind::Storages] {
        let ours = gateway
            .components(kind)
            .filter(|(name, _)| name.starts_with(prefix));
        for (name, help) in ours {
            let _ = writeln!(text, "  {name}\n      {help}");
        }
    }
}

fn row(config: &Config, route: &Route) -> [String; 3] {
    let methods: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
    let methods = if methods.is_empty() {
        "*".to_owned()
    } else {
        methods.join(",")
    };
    let global = config
        .middlewares
        .iter()
        .filter(|middleware| middleware.any_request);
    let global = global.map(|middleware| middleware.name.as_str());
    let own = route.middlewares.iter().map(shown);
    let way: Vec<&str> = global.chain(own).chain([shown(&route.action)]).collect();
    [
        methods,
        format!("{}{}", route.host, route.path),
        way.join(" > "),
    ]
}

fn shown(reference: &Reference) -> &str {
    match reference {
        Reference::Inline(declaration) => &declaration.component,
        Reference::Named(name) => name,
    }
}

const SIGNALS: &str = "\
Signals:
  HUP        read the configuration anew; if anything in it is wrong, every fault is logged and nothing changes
  USR2       start this program anew, as it is on the disk now, on the same sockets; once it serves, end like TERM
  TERM, INT  take no more connections, finish what is running within server.shutdownGrace, end

Example: gateway run --config /etc/gateway";

const SESSIONS: &str = "\
Works on the storage itself, beside running gateways: they hear of it as of each other. Sessions in the memory of a
gateway are out of reach, and a FileStorage while a gateway has it open.

Exits with 0 when it is done, 1 when it could not be, 2 for a wrong command line, 3 when there is no such session.

Examples:
  gateway sessions list   --config ./gateway --principal anna
  gateway sessions revoke --config ./gateway --principal anna --handle 5b1f7f0c2d9a4e63
  gateway sessions revoke --config ./gateway --principal anna --all --output json";

const EXAMPLES: &str = "\
Examples:
  gateway check --config ./gateway      what is wrong with it?
  gateway routes --config ./gateway     what goes where?
  gateway run --config ./gateway        serve it
  gateway sessions list --config ./gateway --principal anna";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn faults_are_counted() {
        let fault = Fault::of_file("a.yaml", "is wrong");

        assert_eq!(
            faults(std::slice::from_ref(&fault)),
            "a.yaml: is wrong\n1 fault"
        );
        assert_eq!(
            faults(&[fault.clone(), fault]),
            "a.yaml: is wrong\na.yaml: is wrong\n2 faults"
        );
    }

    #[test]
    fn routes_are_a_table() {
        let dir = tempfile::tempdir().unwrap();
        let text = "middlewares: { All: { use: x, anyRequest: true }, Own: { use: x } }\n\
                    actions: { Echo: { use: x } }\n\
                    routes:\n\
                    - { path: /users/:id, methods: [GET, POST], middlewares: [Own], action: Echo }\n\
                    - { path: /*, host: '*.a.org', action: { use: gateway.actions.StaticAction } }\n";
        std::fs::write(dir.path().join("a.yaml"), text).unwrap();

        let table = routes(&crate::config::load(dir.path()).unwrap());

        let expected = "GET,POST  /users/:id  All > Own > Echo\n\
                        *         *.a.org/*   All > gateway.actions.StaticAction\n";
        assert_eq!(table, expected);
    }
}
