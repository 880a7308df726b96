//! Which source sets what, and which one wins.

use std::fs;

use rstest::rstest;
use url::Url;

use super::{Env, load, refusal, variables};
use crate::config::{Config, Plan, Secret};

#[test]
fn without_sources_there_are_the_defaults() {
    assert_eq!(load("", &[]), Config::default());
    assert_eq!(
        load("[http]\n[plans]\n[providers.openai]", &[]),
        Config::default()
    );
}

#[test]
fn the_file_goes_over_the_defaults() {
    let config = load(
        "data_dir = 'elsewhere'\n[http]\nport = 1\n[plans.pro]\nmax_workspaces = 3",
        &[],
    );
    assert_eq!(config.data_dir.to_str(), Some("elsewhere"));
    assert_eq!(config.http.port, 1);
    assert_eq!(config.http.host, Config::default().http.host);
    assert_eq!(config.plans["pro"].max_workspaces, Some(3));
    assert_eq!(config.plans["free"], Plan::default());
}

#[test]
fn setting_one_key_of_a_provider_leaves_its_others() {
    let config = load("[providers.cohere]\nmodel = 'command-r'", &[]);
    let default = Config::default();
    assert_eq!(config.providers.cohere.model, "command-r");
    assert_eq!(
        config.providers.cohere.base_url,
        default.providers.cohere.base_url
    );
    assert_eq!(config.providers.openai, default.providers.openai);
}

#[rstest]
#[case::file_alone(&[], 1)]
#[case::usual_name(&[("PORT", "2")], 2)]
#[case::full_name(&[("TENANTRY_HTTP__PORT", "3")], 3)]
#[case::both_names(&[("TENANTRY_HTTP__PORT", "3"), ("PORT", "2")], 3)]
#[case::empty(&[("TENANTRY_HTTP__PORT", ""), ("PORT", "")], 1)]
fn the_environment_goes_over_the_file(#[case] env: Env<'_>, #[case] port: u16) {
    assert_eq!(load("[http]\nport = 1", env).http.port, port);
}

#[test]
fn the_usual_names_work() {
    let config = load(
        "auth.development = true",
        &[
            ("DATABASE_URL", "postgres://primary/db"),
            ("DATABASE_READ_URL", "postgresql://replica/db"),
            ("DATABASE_LISTEN_URL", "postgresql://direct/db"),
            ("HOST", "0.0.0.0"),
            ("PORT", "0"),
            ("RUST_LOG", "warn,tenantry=trace"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=k"),
            ("OTEL_SERVICE_NAME", "workspaces"),
        ],
    );
    let url = config.database.url.as_ref().map(Secret::expose);
    assert_eq!(url, Some("postgres://primary/db"));
    let url = config.database.read_url.as_ref().map(Secret::expose);
    assert_eq!(url, Some("postgresql://replica/db"));
    let url = config.database.listen_url.as_ref().map(Secret::expose);
    assert_eq!(url, Some("postgresql://direct/db"));
    assert_eq!(config.http.host.to_string(), "0.0.0.0");
    assert_eq!(config.http.port, 0);
    assert_eq!(config.log.filter, "warn,tenantry=trace");
    let endpoint = config.telemetry.endpoint.as_ref().map(Url::as_str);
    assert_eq!(endpoint, Some("http://collector:4318/"));
    let headers = config.telemetry.headers.as_ref().map(Secret::expose);
    assert_eq!(headers, Some("x-key=k"));
    assert_eq!(config.telemetry.service_name, "workspaces");
}

#[test]
fn the_environment_reaches_into_lists_and_tables() {
    let config = load(
        "[[auth.issuers]]\nissuer = 'a'\naudience = 'x'\njwks_file = 'a.json'",
        &[
            ("TENANTRY_AUTH__ISSUERS__0__AUDIENCE", "y"),
            ("TENANTRY_AUTH__ISSUERS__1__ISSUER", "b"),
            ("TENANTRY_AUTH__ISSUERS__1__AUDIENCE", "z"),
            ("TENANTRY_AUTH__ISSUERS__1__JWKS_URL", "https://b/jwks"),
            (
                "TENANTRY_AUTH__ISSUERS__1__EMAIL_DOMAINS",
                "b.com,Bücher.de",
            ),
            ("TENANTRY_AUTH__ISSUERS__1__CLAIMS__EMAIL", "mail"),
            ("TENANTRY_PLANS__FREE__MAX_WORKSPACES", "2"),
            ("TENANTRY_PROVIDERS__OPENAI__API_KEY", "k"),
            ("TENANTRY_LIMITS__PROTECT_LAST_WORKSPACE", "false"),
        ],
    );
    let [a, b] = &config.auth.issuers[..] else {
        panic!("{:?}", config.auth);
    };
    assert_eq!((a.issuer.as_str(), a.audience.as_str()), ("a", "y"));
    assert_eq!(b.issuer, "b");
    assert_eq!(
        b.email_domains.as_deref(),
        Some(&["b.com".to_owned(), "xn--bcher-kva.de".to_owned()][..])
    );
    assert_eq!(b.claims.email, "mail");
    assert_eq!(b.claims.name, "name");
    assert_eq!(config.plans["free"].max_workspaces, Some(2));
    assert_eq!(config.providers.openai.api_key, Some(Secret::new("k")));
    assert!(!config.limits.protect_last_workspace);
}

#[rstest]
#[case::commas(&[("TENANTRY_HTTP__ALLOWED_ORIGINS", "https://a.com, https://b.com,")])]
#[case::places(&[
    ("TENANTRY_HTTP__ALLOWED_ORIGINS__1", "https://b.com"),
    ("TENANTRY_HTTP__ALLOWED_ORIGINS__0", "https://a.com"),
])]
fn a_list_in_the_environment_has_commas_or_places(#[case] env: Env<'_>) {
    let text = "[http]\nallowed_origins = ['https://old.com']";
    assert_eq!(
        load(text, env).http.allowed_origins,
        ["https://a.com", "https://b.com"]
    );
}

#[test]
fn two_variables_for_one_thing_are_refused() {
    assert_eq!(
        refusal(
            "",
            &[
                ("TENANTRY_HTTP__TRUSTED_PROXIES", "10.0.0.1"),
                ("TENANTRY_HTTP__TRUSTED_PROXIES__0", "10.0.0.2"),
            ],
        ),
        "the environment variables TENANTRY_HTTP__TRUSTED_PROXIES and \
         TENANTRY_HTTP__TRUSTED_PROXIES__0 exclude each other: unset one of them"
    );
}

#[test]
fn variables_that_are_no_settings_are_ignored() {
    let env = [
        ("TENANTRY_CONFIG", "other.toml"),
        ("TENANTRY_SERVICE_HOST", "10.0.0.1"),
        ("TENANTRY_SERVICE_PORT_HTTP", "80"),
        ("TENANTRY_PORT", "tcp://10.0.0.1:80"),
        ("TENANTRY_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("TENANTRYX_HTTP__PORT", "1"),
        ("HOME", "/home/ada"),
    ];
    assert_eq!(load("", &env), Config::default());
}

#[test]
fn a_named_file_is_read_and_must_exist() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("own.toml");
    let missing = Config::load(Some(&path), variables(&[])).unwrap_err();
    let expected = format!("cannot read {}: ", path.display());
    assert!(missing.to_string().starts_with(&expected), "{missing}");

    fs::write(&path, "[http]\nport = 81").unwrap();
    let config = Config::load(Some(&path), variables(&[("HOST", "localhost")])).unwrap();
    assert_eq!(config.http.port, 81);
    assert_eq!(config.http.host.to_string(), "127.0.0.1");
}
