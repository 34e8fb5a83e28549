//! Every option of turna, goauth and Authelia, what stands here in its place, and the tests that show that it works.

/// An option as the others write it, with what ours is and the tests of it.
pub(super) struct Row(
    pub(super) &'static str,
    pub(super) Ours,
    pub(super) &'static [&'static str],
);

/// What stands here in place of an option.
pub(super) enum Ours {
    /// These keys.
    Keys(&'static str),
    /// Nothing, for a reason that the page gives.
    Nothing(&'static str),
}

use Ours::{Keys, Nothing};

/// All options that the documentation of `turna` has.
pub(super) const TURNA: &[Row] = &[
    Row(
        "session_key",
        Keys("secrets"),
        &[
            "what_redis_was_ever_told_is_neither_id_nor_user_nor_attribute_nor_token",
            "nobody_is_logged_out_by_a_change_of_the_secrets_that_is_done_as_documented",
        ],
    ),
    Row(
        "store.active",
        Keys("storage"),
        &[
            "memory_keeps_sessions",
            "file_keeps_sessions",
            "redis_keeps_sessions",
        ],
    ),
    Row("store.redis.address", Keys("host port"), OVER_TCP),
    Row("store.redis.username", Keys("username"), OVER_TCP),
    Row("store.redis.password", Keys("password"), OVER_TCP),
    Row(
        "store.redis.tls.enabled",
        Keys("enabled"),
        &[
            "a_url_or_a_key_asks_for_tls",
            "servers_that_want_certificates_keep_sessions",
        ],
    ),
    Row("store.redis.tls.cert_file", Keys("certFile"), CERTIFICATE),
    Row("store.redis.tls.key_file", Keys("keyFile"), CERTIFICATE),
    Row(
        "store.redis.tls.ca_file",
        Keys("caFile"),
        &["an_authority_that_did_not_sign_is_not_enough"],
    ),
    Row(
        "store.file.path",
        Keys("path"),
        &[
            "sessions_survive_a_restart_and_a_crash",
            "empty_path_is_a_directory_that_the_log_names_and_that_goes_with_the_gateway",
        ],
    ),
    Row(
        "options.path",
        Keys("cookiePath"),
        &["cookie_of_a_path_stays_below_it"],
    ),
    Row(
        "options.max_age",
        Keys("cookieExpiration"),
        &[
            "session_that_is_not_renewed_ends",
            "cookie_has_the_attributes_that_were_asked_for",
        ],
    ),
    Row("options.domain", Keys("cookieDomain"), DOMAIN),
    Row(
        "options.secure",
        Keys("cookieSecure"),
        &["cookie_has_the_attributes_that_were_asked_for"],
    ),
    Row(
        "options.http_only",
        Keys("cookieHTTPOnly"),
        &["script_sees_the_cookie_unless_it_is_http_only"],
    ),
    Row(
        "options.same_site",
        Keys("cookieSameSite"),
        &[
            "same_site_is_understood_as_a_number_too",
            "link_from_another_site_brings_a_lax_cookie_and_no_strict_one",
            "form_of_another_site_brings_the_cookie_with_same_site_none_only",
        ],
    ),
    Row("cookie_name", Keys("keyLookup"), COOKIE_NAME),
    Row(
        "value_name",
        Nothing("Attributes have names."),
        &["attributes_are_merged_and_null_removes_one"],
    ),
    Row(
        "actions.active",
        Keys("RequireSessionMiddleware"),
        &["a_session_passes_and_its_token_is_what_the_upstream_is_shown"],
    ),
    Row("actions.token.login_path", Keys("loginPath"), TOKEN_URLS),
    Row(
        "actions.token.disable_refresh",
        Keys("disableRefresh"),
        &["disable_refresh_lets_tokens_end"],
    ),
    Row(
        "actions.token.insecure_skip_verify",
        Keys("insecureSkipVerify"),
        &["insecure_skip_verify_takes_any_certificate_and_says_so"],
    ),
    Row(
        "actions.token.oauth2.token_url",
        Keys("tokenUrl"),
        TOKEN_URLS,
    ),
    Row("actions.token.oauth2.cert_url", Keys("certUrl"), TOKEN_URLS),
    Row(
        "actions.token.oauth2.client_id",
        Keys("clientId"),
        TOKEN_URLS,
    ),
    Row(
        "actions.token.oauth2.client_secret",
        Keys("clientSecret"),
        TOKEN_URLS,
    ),
    Row("information.values", Keys("values"), INFORMATION),
    Row("information.custom", Keys("custom"), INFORMATION),
    Row(
        "information.roles",
        Keys("roles"),
        &[
            "information_is_told_where_the_login_is",
            "roles_are_those_of_the_realm_of_each_client_and_of_nobody",
        ],
    ),
    Row("information.scopes", Keys("scopes"), INFORMATION),
    Row("token_header", Keys("token_header SetMiddleware"), FLAGS),
    Row(
        "disable_redirect",
        Keys("disable_redirect SetMiddleware"),
        FLAGS,
    ),
];

/// All options and endpoints that the documentation of goauth's session module has.
pub(super) const GOAUTH: &[Row] = &[
    Row(
        "EnableSessionManagement",
        Keys("SessionsAction"),
        &[
            "user_sees_where_the_sessions_are_at_every_gateway",
            "unknown_path_gets_404",
        ],
    ),
    Row(
        "Strategy",
        Keys("strategy storage cookieCache"),
        &[
            "what_one_gateway_writes_the_other_reads_from_the_snapshot",
            "gateways_on_one_redis_share_sessions",
        ],
    ),
    Row(
        "CookieEncoding",
        Keys("encoding compact jwt"),
        &[
            "token_holds_against_the_algorithm_that_it_names",
            "snapshots_are_neither_forwarded_nor_logged",
        ],
    ),
    Row(
        "CookieCacheTTL",
        Keys("ttl"),
        &[
            "session_that_ended_at_one_gateway_is_read_at_the_other_for_the_trust_at_most",
            "what_happens_elsewhere_is_noticed_when_the_trust_is_over",
        ],
    ),
    Row(
        "SensitivePaths",
        Keys("sensitivePaths"),
        &["session_that_ended_at_one_gateway_is_refused_at_the_other_on_a_sensitive_path_at_once"],
    ),
    Row(
        "SlidingExpiration",
        Keys("slidingExpiration"),
        &["session_that_does_not_slide_keeps_its_end_under_its_new_id"],
    ),
    Row(
        "UpdateAge",
        Keys("updateAge"),
        &["what_happens_elsewhere_is_noticed_when_the_trust_is_over"],
    ),
    Row(
        "POST /login",
        Keys("LoginAction"),
        &[
            "program_logs_in_with_json",
            "id_that_was_planted_before_the_login_is_worth_nothing_after_it",
        ],
    ),
    Row(
        "POST /logout",
        Keys("LogoutAction"),
        &["logout_ends_this_session_and_no_other"],
    ),
    Row(
        "POST /refresh",
        Keys("RefreshAction"),
        &[
            "refresh_gives_a_new_id_and_a_fresh_life",
            "whoever_asks_gets_a_new_id_and_new_tokens",
        ],
    ),
    Row(
        "GET /sessions",
        Keys("SessionsAction"),
        &["user_sees_where_the_sessions_are_at_every_gateway"],
    ),
    Row(
        "GET /sessions/{id}",
        Keys("SessionsAction"),
        &["methods_and_heads_are_answered_as_they_should_be"],
    ),
    Row(
        "DELETE /sessions/{id}",
        Keys("SessionsAction"),
        &[
            "session_that_is_ended_here_is_refused_everywhere_at_once",
            "ending_the_session_of_this_request_clears_its_cookie",
        ],
    ),
    Row(
        "DELETE /sessions",
        Keys("SessionsAction"),
        &["all_other_sessions_are_ended_at_once"],
    ),
];

/// All options that Authelia's documentation of `session` has.
pub(super) const AUTHELIA: &[Row] = &[
    Row("name", Keys("keyLookup"), COOKIE_NAME),
    Row(
        "secret",
        Keys("secrets"),
        &["what_redis_was_ever_told_is_neither_id_nor_user_nor_attribute_nor_token"],
    ),
    Row(
        "expiration",
        Keys("expiration"),
        &[
            "expiration_ends_a_session_however_much_it_is_used",
            "session_that_is_older_than_another_gateway_allows_is_told_to_be_expired",
        ],
    ),
    Row(
        "inactivity",
        Keys("inactivity"),
        &[
            "inactivity_ends_a_session_that_is_not_used",
            "reader_judges_by_the_clocks_of_the_middleware",
        ],
    ),
    Row(
        "remember_me_duration",
        Keys("rememberMe"),
        &[
            "remembered_login_lives_as_long_as_was_promised",
            "remember_me_gives_the_session_and_its_cookie_a_life_of_their_own",
        ],
    ),
    Row("domain", Keys("cookieDomain"), DOMAIN),
    Row(
        "redis.host",
        Keys("host"),
        &[
            "user_with_a_password_keeps_sessions_in_a_database_over_tcp",
            "a_host_may_be_a_socket_or_an_ipv6_address",
        ],
    ),
    Row("redis.port", Keys("port"), OVER_TCP),
    Row("redis.username", Keys("username"), OVER_TCP),
    Row("redis.password", Keys("password"), OVER_TCP),
    Row("redis.database_index", Keys("databaseIndex"), OVER_TCP),
    Row(
        "redis.maximum_active_connections",
        Keys("connections"),
        CONNECTIONS,
    ),
    Row(
        "redis.minimum_idle_connections",
        Keys("connections"),
        CONNECTIONS,
    ),
    Row(
        "redis.tls.server_name",
        Keys("serverName"),
        &[
            "a_certificate_is_for_a_name",
            "without_a_name_the_certificate_is_for_the_host",
        ],
    ),
    Row(
        "redis.tls.skip_verify",
        Keys("skipVerify"),
        &["any_certificate_will_do_for_those_who_say_so"],
    ),
    Row(
        "redis.tls.minimum_version",
        Keys("minimumVersion"),
        &["a_protocol_that_is_too_old_is_refused"],
    ),
    Row(
        "redis.high_availability.sentinel_name",
        Keys("sentinelName"),
        &["why_no_master_is_known_is_told"],
    ),
    Row(
        "redis.high_availability.sentinel_password",
        Keys("sentinelPassword"),
        &[
            "sentinels_lead_to_a_master_with_certificates_and_secrets_in_files",
            "servers_and_sentinels_have_passwords_and_certificates",
        ],
    ),
    Row(
        "redis.high_availability.nodes",
        Keys("nodes"),
        &[
            "sentinels_have_a_user_and_a_port_of_their_own",
            "one_sentinel_is_enough_to_begin",
        ],
    ),
    Row(
        "redis.high_availability.route_by_latency",
        Keys("routeByLatency"),
        &["the_fastest_server_is_read_from"],
    ),
    Row(
        "redis.high_availability.route_randomly",
        Keys("routeRandomly"),
        &["rows_are_read_from_all_servers_and_from_nowhere_else"],
    ),
    Row(
        "secrets from files",
        Keys("xFile"),
        &[
            "password_is_read_from_a_file",
            "secrets_are_read_from_the_lines_of_a_file",
        ],
    ),
];

const OVER_TCP: &[&str] = &["user_with_a_password_keeps_sessions_in_a_database_over_tcp"];
const CERTIFICATE: &[&str] = &["a_server_that_wants_to_know_us_is_shown_a_certificate"];
const DOMAIN: &[&str] = &["cookie_of_a_domain_is_shared_with_its_hosts_until_logout"];
const COOKIE_NAME: &[&str] = &["cookie_of_another_name_is_used_when_told_so"];
const TOKEN_URLS: &[&str] =
    &["login_path_token_url_cert_url_client_id_and_client_secret_are_enough"];
const INFORMATION: &[&str] = &["information_is_told_where_the_login_is"];
const FLAGS: &[&str] = &["token_header_and_disable_redirect_are_flags"];
const CONNECTIONS: &[&str] = &[
    "own_creations_are_not_heard_on_any_connection",
    "several_connections_to_each_node_carry_the_rows",
];
