//! What is refused, and the wording of the errors.

use rstest::rstest;
use serde_json::Value;

use super::{Env, load, refusal};
use crate::config::Config;

#[rstest]
#[case::file(
    "[http]\nprot = 1", &[],
    "unknown key `http.prot` in tenantry.toml: did you mean `http.port`?"
)]
#[case::environment(
    "", &[("TENANTRY_HTTP__PROT", "1")],
    "unknown key `http.prot` in the environment variable TENANTRY_HTTP__PROT: \
     did you mean `http.port` (TENANTRY_HTTP__PORT)?"
)]
#[case::one_underscore(
    "", &[("TENANTRY_DATABASE_URL", "postgres://user:hunter2@host/db")],
    "unknown key `database_url` in the environment variable TENANTRY_DATABASE_URL: \
     did you mean `database.url` (TENANTRY_DATABASE__URL)?"
)]
#[case::table_left_out(
    "port = 1", &[],
    "unknown key `port` in tenantry.toml: did you mean `http.port`?"
)]
#[case::misspelt_table(
    "[provider.openai]\napi_key = 'hunter2'", &[],
    "unknown key `provider.openai.api_key` in tenantry.toml: \
     did you mean `providers.openai.api_key`?"
)]
#[case::in_a_list(
    "[[auth.issuers]]\nissuer = 'a'\naudiance = 'b'", &[],
    "unknown key `auth.issuers.0.audiance` in tenantry.toml: \
     did you mean `auth.issuers.0.audience`?"
)]
#[case::in_a_plan(
    "[plans.pro]\nmax_workspace = 1", &[],
    "unknown key `plans.pro.max_workspace` in tenantry.toml: \
     did you mean `plans.pro.max_workspaces`?"
)]
#[case::a_list_that_is_empty_unless_set(
    "", &[("TENANTRY_HTTP__ALLOWED_ORIGIN", "https://a.com")],
    "unknown key `http.allowed_origin` in the environment variable TENANTRY_HTTP__ALLOWED_ORIGIN: \
     did you mean `http.allowed_origins` (TENANTRY_HTTP__ALLOWED_ORIGINS)?"
)]
#[case::like_none(
    "", &[("TENANTRY_FOO", "1")],
    "unknown key `foo` in the environment variable TENANTRY_FOO"
)]
#[case::like_none_of_its_table(
    "[providers.openai]\nfoo = 1", &[],
    "unknown key `providers.openai.foo` in tenantry.toml"
)]
#[case::line_break_in_a_key(
    "\"ho\\nst\" = 1", &[],
    "unknown key `ho st` in tenantry.toml: did you mean `http.host`?"
)]
fn unknown_keys_name_the_nearest(#[case] text: &str, #[case] env: Env<'_>, #[case] error: &str) {
    assert_eq!(refusal(text, env), error);
}

#[rstest]
#[case("http.port = true", "http.port must be a whole number")]
#[case("http.port = 80.5", "http.port must be a whole number")]
#[case("http.port = 65536", "http.port must be at most 65535")]
#[case("http.port = -1", "http.port must be at least 0")]
#[case("http.port.x = 1", "http.port must be a whole number")]
#[case("http = 1", "http must be a table with keys of its own")]
#[case(
    "http.host = 'example.com'",
    "http.host must be an IP address such as 127.0.0.1 or 0.0.0.0"
)]
#[case(
    "http.trusted_proxies = [1]",
    "http.trusted_proxies.0 must be text, in quotes"
)]
#[case(
    "http.trusted_proxies = ['10.0.0.0/33']",
    "http.trusted_proxies must be an IP address, or a network such as 10.0.0.0/8"
)]
#[case("http.allowed_origins = 1", "http.allowed_origins must be a list")]
#[case(
    "limits.joins_per_15_minutes = 0",
    "limits.joins_per_15_minutes must be at least 1"
)]
#[case(
    "limits.joins_per_15_minutes = -3",
    "limits.joins_per_15_minutes must be at least 1"
)]
#[case(
    "limits.cost_per_minute = 0",
    "limits.cost_per_minute must be at least 1"
)]
#[case(
    "limits.cost_per_minute = -1",
    "limits.cost_per_minute must be at least 1"
)]
#[case(
    "limits.protect_last_workspace = 1",
    "limits.protect_last_workspace must be true or false"
)]
#[case(
    "plans.free.trial_days = 36501",
    "plans.free.trial_days must be at most 36500"
)]
#[case(
    "plans.free.max_workspaces = 2147483648",
    "plans.free.max_workspaces must be at most 2147483647"
)]
#[case(
    "database.statement_timeout_seconds = 15000",
    "database.statement_timeout_seconds must be at most 3600"
)]
#[case(
    "providers.concurrency = 0",
    "providers.concurrency must be at least 1"
)]
#[case(
    "providers.concurrency = 10001",
    "providers.concurrency must be at most 10000"
)]
#[case(
    "providers.openai.concurrency = 1001",
    "providers.openai.concurrency must be at most 1000"
)]
#[case("log.format = 'xml'", "log.format must be one of: text, json")]
#[case(
    "mail.from = ''",
    "mail.from must not be empty: give it a value, or leave it out"
)]
#[case(
    "public_url = 'example.com'",
    "public_url must be a URL such as https://example.com, without a user name or password"
)]
#[case(
    "metrics.listen = '9090'",
    "metrics.listen must be an IP address and a port, such as 127.0.0.1:9090"
)]
#[case(
    "telemetry.endpoint = 'collector:4318'",
    "telemetry.endpoint must be a URL such as https://example.com, without a user name or password"
)]
#[case(
    "telemetry.sample_one_in = 1000001",
    "telemetry.sample_one_in must be at most 1000000"
)]
#[case(
    "providers.openai.api_key = ['hunter2']",
    "providers.openai.api_key must be text, in quotes"
)]
fn values_of_the_wrong_kind(#[case] text: &str, #[case] error: &str) {
    assert_eq!(refusal(text, &[]), format!("{error} (in tenantry.toml)"));
}

#[test]
fn the_variable_is_named_that_said_it() {
    assert_eq!(
        refusal("http.port = 1", &[("PORT", "hunter2")]),
        "http.port must be a whole number (in the environment variable PORT)"
    );
    assert_eq!(
        refusal("", &[("TENANTRY_LIMITS__PURGE_DAYS", "0")]),
        "limits.purge_days must be at least 1 \
         (in the environment variable TENANTRY_LIMITS__PURGE_DAYS)"
    );
    assert_eq!(
        refusal("", &[("TENANTRY_HTTP__PORT__X", "1")]),
        "http.port must be a whole number (in the environment variable TENANTRY_HTTP__PORT__X)"
    );
}

#[test]
fn every_number_but_the_port_is_at_least_one() {
    let mut numbers = 0;
    let mut refuse_zero = |key: &str| {
        let error = refusal(&format!("{key} = 0"), &[]);
        assert_eq!(
            error,
            format!("{key} must be at least 1 (in tenantry.toml)")
        );
        numbers += 1;
    };
    let defaults = serde_json::to_value(Config::default()).unwrap();
    for (key, value) in super::example::leaves(&defaults) {
        let is_limit = key.starts_with("plans.free.");
        if is_limit || (value.is_number() && key != "http.port") {
            refuse_zero(&key);
        }
    }
    assert!(numbers >= 34, "{numbers}");
}

#[rstest]
#[case("= 1", "tenantry.toml is not valid TOML at line 1, column 1: ")]
#[case(
    "[mail]\nsmtp_url = \"smtp://u:hunter2@h\nfrom = 'a'",
    "tenantry.toml is not valid TOML at line 2, column "
)]
#[case(
    "[providers.openai]\napi_key = hunter2",
    "tenantry.toml is not valid TOML at line 2, column "
)]
#[case(
    "http.port = 99999999999999999999",
    "tenantry.toml is not valid TOML: "
)]
fn what_is_not_toml_is_not_repeated(#[case] text: &str, #[case] start: &str) {
    let error = refusal(text, &[]);
    assert!(error.starts_with(start), "{error}");
    assert!(error.len() > start.len(), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[rstest]
#[case(&[("TENANTRY_AUTH__ISSUERS__1__ISSUER", "a")], "auth.issuers.0 is missing: number a list from 0, without gaps")]
#[case(
    &[("TENANTRY_AUTH__ISSUERS__0__ISSUER", "a")],
    "auth.issuers.0.audience is missing \
     (in the environment variable TENANTRY_AUTH__ISSUERS__0__ISSUER)"
)]
fn what_is_missing_is_named(#[case] env: Env<'_>, #[case] error: &str) {
    assert_eq!(refusal("", env), error);
}

#[test]
fn no_secret_is_shown() {
    let config = load(
        "[mail]\nsmtp_url = 'smtp://u:hunter2@h'\n[providers.openai]\napi_key = 'hunter2'",
        &[
            ("DATABASE_URL", "postgres://u:hunter2@h/db"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2"),
        ],
    );
    let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(config.providers.openai.api_key.unwrap().expose(), "hunter2");
}

#[test]
fn defaults_hold_no_secret() {
    // They are a layer of their own: a secret would come out of it as `***`.
    let defaults = serde_json::to_value(Config::default()).unwrap();
    assert!(
        super::example::leaves(&defaults)
            .iter()
            .all(|(_, value)| value != &Value::from("***"))
    );
}
