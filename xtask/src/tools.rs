//! Programs that come from the system and not from cargo.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::{Error, step};

/// A program, or something that a program needs, and the Debian package it is in.
pub(crate) struct Tool {
    program: &'static str,
    package: &'static str,
}

/// What the gateway is built with, beside what Rust needs.
pub(crate) const FOR_BUILD: &[Tool] = &[MAKE];

/// What the tests start, and what fuzz targets are linked with.
pub(crate) const FOR_TESTS: &[Tool] = &[
    CXX,
    MAKE,
    Tool {
        program: "caddy",
        package: "caddy",
    },
    Tool {
        program: "chromedriver",
        package: "chromium-driver",
    },
    Tool {
        program: "chromium",
        package: "chromium",
    },
    Tool {
        program: "curl",
        package: "curl",
    },
    Tool {
        program: "haproxy",
        package: "haproxy",
    },
    Tool {
        program: "nginx",
        package: "nginx-light",
    },
    NODE,
    NPM,
    Tool {
        program: "h2load",
        package: "nghttp2-client",
    },
    // Known by its file: other interpreters in the path need not find what the package brings.
    Tool {
        program: "/usr/lib/python3/dist-packages/cryptography/__init__.py",
        package: "python3-cryptography",
    },
    // Known by its file: a virtual environment needs it, and the interpreter alone has not got it.
    Tool {
        program: "/usr/share/doc/python3-venv/copyright",
        package: "python3-venv",
    },
    Tool {
        program: "nginx",
        package: "nginx-light",
    },
    Tool {
        program: "promtool",
        package: "prometheus",
    },
    Tool {
        program: "redis-server",
        package: "redis-server",
    },
    Tool {
        program: "redis-cli",
        package: "redis-tools",
    },
    Tool {
        program: "ssh-keygen",
        package: "openssh-client",
    },
    Tool {
        program: "systemd-analyze",
        package: "systemd",
    },
];

/// What fuzz targets are built and linked with.
pub(crate) const FOR_FUZZ: &[Tool] = &[CXX, MAKE];

/// What the comparison under load starts.
pub(crate) const FOR_LOAD: &[Tool] = &[
    Tool {
        program: "nginx",
        package: "nginx-light",
    },
    Tool {
        program: "redis-server",
        package: "redis-server",
    },
    Tool {
        program: "taskset",
        package: "util-linux",
    },
    Tool {
        program: "wrk",
        package: "wrk",
    },
];

/// What a build guided by a profile needs beyond that.
pub(crate) const FOR_REARRANGING: &[Tool] = &[
    Tool {
        program: "/usr/lib/llvm-19/bin/llvm-bolt",
        package: "bolt-19",
    },
    Tool {
        program: "/usr/lib/llvm-19/lib/libbolt_rt_instr.a",
        package: "libbolt-19-dev",
    },
];

/// What the comparison over TLS needs beyond that.
pub(crate) const FOR_SECURE: &[Tool] = &[
    Tool {
        program: "h2load",
        package: "nghttp2-client",
    },
    Tool {
        program: "openssl",
        package: "openssl",
    },
];

/// What a peer on Node.js needs beyond that.
pub(crate) const FOR_EXPRESS: &[Tool] = &[NODE, NPM];

/// What Apache needs beyond that.
pub(crate) const FOR_APACHE: &[Tool] = &[
    Tool {
        program: "apache2",
        package: "apache2-bin",
    },
    Tool {
        program: "/usr/share/doc/libaprutil1-dbd-sqlite3/copyright",
        package: "libaprutil1-dbd-sqlite3",
    },
    Tool {
        program: "sqlite3",
        package: "sqlite3",
    },
];

/// What counting what a request costs needs beyond that.
pub(crate) const FOR_COUNT: &[Tool] = &[
    Tool {
        program: "strace",
        package: "strace",
    },
    Tool {
        program: "valgrind",
        package: "valgrind",
    },
];

/// What nginx with Lua needs beyond that.
pub(crate) const FOR_LUA: &[Tool] = &[
    Tool {
        program: "/usr/lib/nginx/modules/ngx_http_lua_module.so",
        package: "libnginx-mod-http-lua",
    },
    Tool {
        program: "/usr/share/lua/5.1/nginx/redis.lua",
        package: "lua-nginx-redis",
    },
    Tool {
        program: "/usr/share/lua/5.1/cjson/util.lua",
        package: "lua-cjson",
    },
];

const NODE: Tool = Tool {
    program: "node",
    package: "nodejs",
};

const NPM: Tool = Tool {
    program: "npm",
    package: "npm",
};

/// libFuzzer is C++.
const CXX: Tool = Tool {
    program: "c++",
    package: "g++",
};

/// jemalloc is built with it.
const MAKE: Tool = Tool {
    program: "make",
    package: "make",
};

/// Makes sure that all programs are there: installs packages as root, and otherwise says which.
///
/// # Errors
/// With the command to type.
pub(crate) fn require(tools: &[Tool]) -> Result<(), Error> {
    let missing: Vec<&str> = tools
        .iter()
        .filter(|tool| !exists(tool.program))
        .map(|tool| tool.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = [
        &["install", "--yes", "--no-install-recommends"],
        missing.as_slice(),
    ]
    .concat();
    if !is_root() || !exists("apt-get") {
        return Err(format!("missing: apt-get install {}", missing.join(" ")).into());
    }
    step::run(".", "apt-get", &["update"])?;
    step::run(".", "apt-get", &install)
}

/// Whether a program is in the path, or a file is there. System directories count even where a user's path lacks them.
pub(crate) fn exists(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut directories = env::split_paths(&path);
    directories.any(|directory| directory.join(program).is_file())
        || Path::new("/usr/sbin").join(program).is_file()
}

/// Whether cargo knows a subcommand.
pub(crate) fn has_cargo(subcommand: &str) -> bool {
    let output = Command::new("cargo")
        .args([subcommand, "--version"])
        .output();
    output.is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("--user").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
