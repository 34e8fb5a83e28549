//! HTTP/2 and TLS as programs speak them that others have written: curl, nghttp and h2load.

use std::process::Command;

use e2e::{Answer, Certificate, Gateway, Site, Upstream};

use crate::anna::{self, SESSION};

#[test]
fn curl_speaks_every_version_on_one_port_in_the_clear() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();
    let url = format!("http://{}/", gateway.address());

    for (version, spoken) in [
        ("--http1.0", "1.0"),
        ("--http1.1", "1.1"),
        ("--http2-prior-knowledge", "2"),
    ] {
        let said = run("curl", &["-s", version, "-w", " %{http_version}", &url]);

        // An answer to HTTP/1.0 is one of HTTP/1.1 that ends with the connection (RFC 9110, section 2.5).
        let spoken = if spoken == "1.0" { "1" } else { spoken };
        assert!(
            said.starts_with(&format!("hello {spoken}")),
            "{version}: {said}"
        );
    }
}

#[test]
fn curl_agrees_on_http_2_over_tls_and_the_upstream_is_told() {
    let upstream = Upstream::start();
    let certificate = Certificate::issue();
    let gateway = Site::new(&upstream).server(&certificate.settings()).run();

    for (version, spoken) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let said = curl(
            &gateway,
            &certificate,
            &[version, "-w", " %{http_version} %{ssl_verify_result}"],
        );

        assert_eq!(said, format!("hello {spoken} 0"));
        let seen = upstream.last();
        assert_eq!(seen.header("x-forwarded-proto").as_deref(), Some("https"));
        let host = format!("{}:{}", Certificate::NAME, gateway.address().port());
        assert_eq!(seen.header("host"), Some(host));
    }
}

#[test]
fn a_client_of_old_tls_is_refused() {
    let certificate = Certificate::issue();
    let gateway = Site::new(&Upstream::start())
        .server(&certificate.settings())
        .run();

    let url = url(&gateway);
    let output = Command::new("curl")
        .args([
            "-s",
            "--tls-max",
            "1.1",
            "--ciphers",
            "DEFAULT@SECLEVEL=0",
            "--resolve",
            &resolve(&gateway),
            "--cacert",
        ])
        .arg(certificate.file())
        .arg(url)
        .output()
        .unwrap();

    assert!(!output.status.success(), "{output:?}");
}

#[test]
fn a_session_is_found_in_crumbs_of_cookies() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();
    let login = format!("http://{}/login", gateway.address());
    let answer = run("nghttp", &["-v", "--no-dep", &login]);
    let (_, rest) = answer.split_once("session_id=").unwrap();
    let id = rest.split(';').next().unwrap();

    let url = format!("http://{}/", gateway.address());
    let mine = format!("-Hcookie: session_id={id}");
    run(
        "nghttp",
        &["-n", "-Hcookie: before=1", &mine, "-Hcookie: after=2", &url],
    );

    let seen = upstream.last();
    assert_eq!(
        seen.header("x-user-id").as_deref(),
        Some("anna"),
        "{SESSION}"
    );
    assert_eq!(seen.header("cookie").as_deref(), Some("before=1; after=2"));
}

#[test]
fn crowds_of_requests_on_few_connections_all_end_well() {
    let upstream = Upstream::start();
    upstream.answer("/", Answer::ok().body("a".repeat(40_000)));
    let gateway = Site::new(&upstream).run();
    let url = format!("http://{}/", gateway.address());

    let said = run("h2load", &["-n2000", "-c4", "-m50", &url]);

    assert!(
        said.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"),
        "{said}"
    );
    assert!(said.contains("status codes: 2000 2xx"), "{said}");
}

#[test]
fn an_upload_passes_with_its_trailers() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("upload");
    std::fs::write(&file, "a".repeat(1 << 20)).unwrap();

    let url = format!("http://{}/up", gateway.address());
    let file = file.to_str().unwrap();
    run(
        "nghttp",
        &[
            "-n",
            "--data",
            file,
            "--trailer",
            "x-sum: 7",
            "-H:method: POST",
            &url,
        ],
    );

    let seen = upstream.last();
    assert_eq!(seen.body.len(), 1 << 20);
}

#[test]
fn certificates_that_cannot_be_used_are_faults_of_the_configuration() {
    let certificate = Certificate::issue();
    let other = Certificate::issue();
    let upstream = Upstream::start();
    let missing = format!("tls: {{ certFile: '{}' }}", certificate.file().display());
    let strange = format!(
        "tls: {{ certFile: '{}', keyFile: '{}' }}",
        certificate.file().display(),
        other.key().display()
    );

    let verdict = Site::new(&upstream).server(&missing).refused();
    verdict.assert_refused("server.tls.keyFile: is missing: certFile needs it");
    let verdict = Site::new(&upstream).server(&strange).refused();
    verdict.assert_refused("server.tls.keyFile: ");
    verdict.assert_refused("does not fit the certificate");
    let verdict = Site::new(&upstream).server("proxyProtocol: true").refused();
    verdict.assert_refused("server.proxyProtocol: needs trustedProxies");
}

fn curl(gateway: &Gateway, certificate: &Certificate, options: &[&str]) -> String {
    let file = certificate.file();
    let (resolve, url) = (resolve(gateway), url(gateway));
    let always = [
        "-sS",
        "--resolve",
        &resolve,
        "--cacert",
        file.to_str().unwrap(),
        &url,
    ];
    run("curl", &[options, &always].concat())
}

fn resolve(gateway: &Gateway) -> String {
    let address = gateway.address();
    format!("{}:{}:{}", Certificate::NAME, address.port(), address.ip())
}

fn url(gateway: &Gateway) -> String {
    format!(
        "https://{}:{}/",
        Certificate::NAME,
        gateway.address().port()
    )
}

/// What a program says when all went well.
#[track_caller]
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    said
}
