//! Connections that are secured.

use abi::config::ConfigPath;

use super::*;
use crate::storage::redis::TlsVersion;
use crate::storage::redis::server::Certificates;

mod conformance {
    crate::conformance_suite!(super::subject);
}

#[test]
fn an_authority_that_did_not_sign_is_not_enough() {
    let (server, mut config) = server(&Certificates::issue());
    let others = Certificates::issue();
    config.tls.ca_file = ConfigPath::new(others.authority());

    assert_refused(server, &config, "TLS: invalid peer certificate: ");
}

#[test]
fn a_certificate_is_for_a_name() {
    let (server, mut config) = server(&Certificates::issue());
    config.tls.server_name = "other.test".into();

    assert_refused(
        server,
        &config,
        "TLS: invalid peer certificate: certificate not valid for name",
    );
}

#[test]
fn without_a_name_the_certificate_is_for_the_host() {
    let (server, mut config) = server(&Certificates::issue());
    config.tls.server_name = String::new();
    config.host = Some("localhost".into());

    Bench::on(server, &config);
}

#[test]
fn any_certificate_will_do_for_those_who_say_so() {
    let (server, mut config) = server(&Certificates::issue());
    config.tls.ca_file = ConfigPath::new("");
    config.tls.server_name = String::new();
    config.tls.skip_verify = true;

    Bench::on(server, &config);
}

#[test]
fn a_server_that_wants_to_know_us_is_shown_a_certificate() {
    let certificates = Certificates::issue();
    let server = RedisServer::with(Setup::default().mutual_tls(&certificates));
    let mut config = server.config();
    let bench = Bench::on(server, &config);
    config.tls.cert_file = ConfigPath::new("");
    config.tls.key_file = ConfigPath::new("");

    assert_refused(
        bench.server,
        &config,
        "received fatal alert: CertificateRequired",
    );
}

#[test]
fn a_protocol_that_is_too_old_is_refused() {
    let setup = Setup::default().tls(&Certificates::issue());
    let server = RedisServer::with(setup.line("tls-protocols TLSv1.2"));
    let mut config = server.config();
    let bench = Bench::on(server, &config);
    config.tls.minimum_version = Some(TlsVersion::Tls13);

    assert_refused(
        bench.server,
        &config,
        "TLS: received fatal alert: ProtocolVersion",
    );
}

#[test]
fn tls_to_a_port_in_the_clear_is_told_by_the_key_to_change() {
    let server = RedisServer::with(Setup::default().tcp());
    let config = RedisConfig {
        url: Secret::new(format!("rediss://{}", server.address())),
        timeout: ConfigDuration::of_secs(2),
        ..RedisConfig::default()
    };
    let storage = RedisStorage::open(&config, Arc::default()).unwrap();

    let cause = block_on(storage.probe().wait()).unwrap_err().to_string();

    // By what is in the greeting, the server answers it as a command or waits for the end of its line.
    assert!(cause.contains("`tls.enabled`"), "{cause}");
}

#[test]
fn no_tls_to_a_port_that_wants_it_is_told_by_the_key_to_change() {
    let (server, mut config) = server(&Certificates::issue());
    config.tls = RedisConfig::default().tls;
    config.timeout = ConfigDuration::of_secs(2);
    let storage = RedisStorage::open(&config, Arc::default()).unwrap();

    let cause = block_on(storage.probe().wait()).unwrap_err().to_string();

    assert!(cause.contains("`tls.enabled`"), "{cause}");
    drop(server);
}

#[test]
fn a_url_may_say_it() {
    let (server, mut config) = server(&Certificates::issue());
    config.url = Secret::new(format!("rediss://{}", server.address()));
    (config.host, config.port) = (None, None);
    config.tls.enabled = false;

    Bench::on(server, &config);
}

#[test]
fn a_key_that_is_not_that_of_the_certificate_is_a_fault() {
    let (server, mut config) = server(&Certificates::issue());
    let others = Certificates::issue();
    config.tls.key_file = ConfigPath::new(others.client_key());

    let faults = RedisStorage::open(&config, Arc::default()).unwrap_err();

    assert!(
        faults.to_string().starts_with("tls.keyFile: does not fit"),
        "{faults}"
    );
    drop(server);
}

/// Without copies of rows, and so in the older protocol.
fn subject() -> RedisSubject {
    let (server, mut config) = server(&Certificates::issue());
    config.local_cache.enabled = false;
    RedisSubject::of(Bench::on(server, &config))
}

fn server(certificates: &Certificates) -> (RedisServer, RedisConfig) {
    let server = RedisServer::with(Setup::default().tls(certificates));
    let config = server.config();
    (server, config)
}

#[track_caller]
fn assert_refused(server: RedisServer, config: &RedisConfig, expected: &str) {
    let config = RedisConfig {
        timeout: ConfigDuration::of_secs(2),
        ..config.clone()
    };
    let storage = RedisStorage::open(&config, Arc::default()).unwrap();

    let cause = block_on(storage.probe().wait()).unwrap_err().to_string();

    assert!(cause.starts_with(expected), "{cause}");
    drop(server);
}
