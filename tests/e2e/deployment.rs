//! The unit for systemd and the file for container images, as far as they can be tried without either running.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{Gateway, Site, plugins};

use crate::anna::{self, writes_session};

#[test]
fn systemd_takes_the_unit() {
    let directory = tempfile::tempdir().unwrap();
    let unit = directory.path().join("gateway.service");
    let text = read("examples/systemd/gateway.service");
    let gateway = plugins::gateway().display().to_string();
    fs::write(&unit, text.replace("/usr/bin/gateway", &gateway)).unwrap();

    let said = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&unit)
        .output();

    let said = said.expect("systemd-analyze is in the Debian package systemd");
    let complaints = String::from_utf8_lossy(&said.stderr);
    let ours: Vec<&str> = complaints
        .lines()
        .filter(|line| line.contains("gateway"))
        .collect();
    assert!(said.status.success() && ours.is_empty(), "{said:?}");
}

#[test]
fn image_is_built_by_the_compiler_that_the_workspace_asks_for() {
    let [build, _] = stages();
    let manifest = read("Cargo.toml");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    let version = version.unwrap().trim_matches('"');

    assert!(
        build.starts_with(&format!("FROM rust:{version}-slim-")),
        "{build}"
    );
    let ignored = read("examples/compose/Containerfile.dockerignore");
    assert_eq!(
        ignored.lines().collect::<Vec<_>>(),
        [".git", "**/target", "dist"]
    );
}

#[test]
fn image_runs_what_it_copies_as_a_user_that_is_a_number() {
    let [_, image] = stages();
    let all = |word: &str| -> Vec<String> {
        let lines = image.lines().filter_map(|line| line.strip_prefix(word));
        lines.map(|line| line.trim().to_owned()).collect()
    };

    let copied = all("COPY ");
    let [entry, arguments] = ["ENTRYPOINT ", "CMD "].map(|word| {
        // A list is run as it is; anything else would need a shell.
        let list: Vec<String> = serde_json::from_str(&all(word)[0]).unwrap();
        list
    });

    assert_eq!(copied[0], "--from=build /src/dist/gateway /opt/gateway/");
    assert_eq!(
        copied[1],
        "--from=build /src/dist/plugins /opt/gateway/plugins/"
    );
    assert_eq!(entry, ["/opt/gateway/gateway"]);
    assert!(all("RUN ").is_empty(), "there is no shell that could");
    let users = all("USER ");
    let (user, _) = users[0].split_once(':').unwrap();
    assert_ne!(user.parse::<u32>().unwrap(), 0);
    // What it is told is what the gateway understands.
    let mut gateway = Command::new(plugins::gateway());
    let said = gateway
        .args(&arguments[..2])
        .arg("/does/not/exist")
        .output();
    let said = String::from_utf8(said.unwrap().stderr).unwrap();
    assert!(said.contains("/does/not/exist"), "{said}");
}

#[test]
fn programs_need_no_library_that_the_image_lacks() {
    for file in [plugins::gateway(), plugins::session()] {
        let said = Command::new("readelf")
            .arg("-d")
            .arg(file)
            .output()
            .unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let needed = said.lines().filter(|line| line.contains("(NEEDED)"));
        let needed: Vec<&str> = needed
            .filter_map(|line| line.split(['[', ']']).nth(1))
            .collect();

        assert!(needed.contains(&"libc.so.6"), "{said}");
        let lacks = |library: &&&str| !GLIBC_AND_GCC.contains(library);
        assert_eq!(needed.iter().find(lacks), None, "{}", file.display());
    }
}

#[test]
fn sessions_get_large_pages_where_unit_and_image_say_so() {
    let [_, image] = stages();
    let unit = read("examples/systemd/gateway.service");
    let tunables = assigned(&image, "ENV GLIBC_TUNABLES=");
    assert_eq!(assigned(&unit, "Environment=GLIBC_TUNABLES="), tunables);
    let upstream = anna::upstream();
    let session = format!(r#"{{"notes":"{}"}}"#, "n".repeat(4_000));
    writes_session(&upstream, "/notes", &session);
    let site = Site::new(&upstream).write();

    let gateway = Gateway::run_in(site, &[("GLIBC_TUNABLES", Path::new(tunables))]);
    for _ in 0..1_000 {
        assert_eq!(gateway.browser().get("/notes").status(), 200);
    }

    // All of them lie in the one heap that glibc asks for large pages in, which is another thread's.
    let maps = read(&format!("/proc/{}/smaps", gateway.process()));
    // Elsewhere the kernel makes large pages of everything, or of nothing.
    let kernel = read("/sys/kernel/mm/transparent_hugepage/enabled");
    let is_asked =
        |part: &&str| !kernel.contains("[madvise]") || assigned(part, "VmFlags:").contains(" hg");
    let kilobytes = |part: &str| -> usize {
        let resident = assigned(part, "Rss:").trim_end_matches(" kB");
        resident.trim().parse().unwrap()
    };
    let parts = maps.split("[heap]\n").skip(1).filter(is_asked);
    assert!(parts.map(kilobytes).sum::<usize>() >= 4_000, "{maps}");
}

/// What stands behind the first of these words.
fn assigned<'t>(text: &'t str, word: &str) -> &'t str {
    let value = text.lines().find_map(|line| line.strip_prefix(word));
    value.unwrap_or_else(|| panic!("nothing has {word:?}"))
}

/// That which builds, and that which is shipped.
fn stages() -> [String; 2] {
    let text = read("examples/compose/Containerfile");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n");
    let (build, image) = text.rsplit_once("FROM ").unwrap();
    [build.to_owned(), image.to_owned()]
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(plugins::root()).join(file)).unwrap()
}

// What distroless/cc has.
const GLIBC_AND_GCC: [&str; 6] = [
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
];
