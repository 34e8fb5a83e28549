//! Services that speak HTTP/2, and services behind TLS: nginx does both.

use std::fs;
use std::path::Path;

use e2e::{Nginx, Request, Site, Upstream};
use rcgen::{CertificateParams, Issuer, KeyPair};
use tempfile::TempDir;

#[test]
fn a_service_behind_tls_is_spoken_to_in_what_it_chooses() {
    let certificates = Certificates::new();
    let tls = certificates.nginx();
    for (listen, protocol) in [("ssl http2", "HTTP/2.0"), ("ssl", "HTTP/1.1")] {
        let server = Nginx::start("secure", listen, &tls);
        let gateway = to(
            &format!("https://{}", server.address()),
            &certificates.trusted(),
        )
        .run();

        let answer = gateway
            .browser()
            .send(Request::get("/a/b?c=d").header("Host", "shop.test"));

        assert_eq!(
            answer.text(),
            format!("secure {protocol} shop.test /a/b?c=d")
        );
    }
}

#[test]
fn a_service_may_speak_http_2_in_the_clear() {
    let server = Nginx::start("clear", "http2", "");
    for (scheme, config) in [("h2c", ""), ("http", "protocol: http2")] {
        let gateway = to(&format!("{scheme}://{}", server.address()), config).run();

        assert_eq!(
            gateway.browser().get("/").text(),
            "clear HTTP/2.0 gateway.test /"
        );
    }
}

#[test]
fn a_large_body_goes_through_http_2_in_both_directions() {
    let upstream = Upstream::start();
    let certificates = Certificates::new();
    // nginx passes on what it gets, so that everything crosses HTTP/2 and comes back.
    let more = format!(
        "{} client_max_body_size 0; location /pass {{ proxy_pass http://{}; proxy_http_version 1.1; }}",
        certificates.nginx(),
        upstream.address()
    );
    let server = Nginx::start("secure", "ssl http2", &more);
    let large = "0123456789abcdef".repeat(256 * 1024);
    upstream.answer("/pass", e2e::Answer::ok().body(large.clone()));
    let gateway = to(
        &format!("https://{}", server.address()),
        &certificates.trusted(),
    )
    .run();

    let answer = gateway
        .browser()
        .send(Request::post("/pass", "text/plain", &large));

    assert_eq!((answer.status(), answer.text() == large), (200, true));
    assert!(upstream.last().text() == large);
}

#[test]
fn a_service_whose_certificate_nobody_vouches_for_is_not_spoken_to() {
    let certificates = Certificates::new();
    let server = Nginx::start("secure", "ssl", &certificates.nginx());
    let url = format!("https://{}", server.address());
    let another = Certificates::new();

    for (config, status) in [
        (another.trusted(), 502),
        ("tls: { skipVerify: true }".to_owned(), 200),
    ] {
        assert_eq!(
            to(&url, &config).run().browser().get("/").status(),
            status,
            "{config}"
        );
    }
}

#[test]
fn a_service_that_wants_a_certificate_gets_ours() {
    let certificates = Certificates::new();
    let ca = certificates.file("ca.pem");
    let more = format!(
        "{} ssl_client_certificate {ca}; ssl_verify_client on;",
        certificates.nginx()
    );
    let server = Nginx::start("secure", "ssl http2", &more);
    let url = format!("https://{}", server.address());
    let tls = |more: &str| format!("tls: {{ caFile: '{ca}', serverName: upstream.test{more} }}");
    let ours = format!(
        ", certFile: '{}', keyFile: '{}'",
        certificates.file("cert.pem"),
        certificates.file("key.pem")
    );

    let answers =
        [tls(""), tls(&ours)].map(|config| to(&url, &config).run().browser().get("/").status());

    assert_eq!(answers, [400, 200]);
}

/// A gateway in front of one service.
fn to(endpoint: &str, config: &str) -> Site {
    let action = format!(
        "use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: '{endpoint}', {config} }}"
    );
    Site::bare().route(&format!("path: /*, action: {{ {action} }}"))
}

/// A signer and what it has signed for `upstream.test`.
struct Certificates(TempDir);

impl Certificates {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: String| fs::write(directory.path().join(name), text).unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        // Who is called as its signer is taken for its own.
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "signer");
        let key = KeyPair::generate().unwrap();
        write("ca.pem", params.self_signed(&key).unwrap().pem());
        let signer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let names = CertificateParams::new(vec!["upstream.test".to_owned()]).unwrap();
        write("cert.pem", names.signed_by(&key, &signer).unwrap().pem());
        write("key.pem", key.serialize_pem());
        Self(directory)
    }

    fn file(&self, name: &str) -> String {
        let path: &Path = &self.0.path().join(name);
        path.display().to_string()
    }

    /// What nginx is told.
    fn nginx(&self) -> String {
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| self.file(name));
        format!("ssl_certificate {cert}; ssl_certificate_key {key};")
    }

    /// What the gateway is told.
    fn trusted(&self) -> String {
        format!(
            "tls: {{ caFile: '{}', serverName: upstream.test }}",
            self.file("ca.pem")
        )
    }
}
