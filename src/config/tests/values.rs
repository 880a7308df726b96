//! Rules beyond the type of a single value, and what values mean.

use rstest::rstest;
use url::Url;

use super::{load, refusal, try_load};
use crate::config::{Auth, Config, Mail, Network, Telemetry};

/// A valid issuer but for its keys, which each test adds.
const ISSUER: &str = "[[auth.issuers]]\nissuer = 'a'\naudience = 'b'\n";

#[rstest]
#[case("http.host = '0.0.0.0'", Some("http.host"))]
#[case("http.host = '0.0.0.0'\nauth.development = true", None)]
#[case("http.host = '0.0.0.0'\nauth.development = false", None)]
#[case("http.host = '::1'", None)]
#[case("http.host = 'localhost'", None)]
fn development_identities_stay_on_loopback(#[case] text: &str, #[case] refused: Option<&str>) {
    match refused {
        None => drop(load(text, &[])),
        Some(key) => assert_eq!(
            refusal(text, &[]),
            format!(
                "{key} must be a loopback address such as 127.0.0.1 while anyone can sign in with \
                 development identities: configure an issuer in auth.issuers, or set \
                 auth.development = true to allow it (in tenantry.toml)"
            )
        ),
    }
}

#[test]
fn an_issuer_opens_other_addresses() {
    let config = load(
        &format!("http.host = '::'\n{ISSUER}jwks_file = 'jwks.json'"),
        &[],
    );
    assert!(!config.auth.development_enabled());
}

#[test]
fn development_is_on_unless_there_is_an_issuer_or_a_word_against_it() {
    let issuers = load(&format!("{ISSUER}jwks_file = 'a'"), &[]).auth.issuers;
    let enabled = |development, issuers: &[_]| {
        let issuers = issuers.to_vec();
        Auth {
            development,
            issuers,
        }
        .development_enabled()
    };
    assert!(enabled(None, &[]));
    assert!(enabled(Some(true), &issuers));
    assert!(!enabled(None, &issuers));
    assert!(!enabled(Some(false), &[]));
}

#[rstest]
#[case("", "auth.issuers.0 must have exactly one of jwks_url and jwks_file")]
#[case(
    "jwks_file = 'a'\njwks_url = 'https://a'",
    "auth.issuers.0 must have exactly one of jwks_url and jwks_file"
)]
#[case(
    "jwks_url = 'http://a.com/jwks'",
    "auth.issuers.0.jwks_url must be https; plain http is allowed only on loopback"
)]
#[case(
    "jwks_url = 'http://localhost.a.com/jwks'",
    "auth.issuers.0.jwks_url must be https; plain http is allowed only on loopback"
)]
#[case(
    "jwks_file = 'a'\nuserinfo_url = 'http://10.0.0.1'",
    "auth.issuers.0.userinfo_url must be https; plain http is allowed only on loopback"
)]
#[case(
    "jwks_file = 'a'\nemail_domains = ['ada@a.com']",
    "auth.issuers.0.email_domains must be domains such as example.com"
)]
#[case(
    "jwks_file = 'a'\nemail_domains = []",
    "auth.issuers.0.email_domains must hold at least one domain, or be left out"
)]
fn issuers_are_held_to_it(#[case] text: &str, #[case] error: &str) {
    let text = format!("{ISSUER}{text}");
    assert_eq!(refusal(&text, &[]), format!("{error} (in tenantry.toml)"));
}

#[rstest]
#[case("http://localhost:9/jwks")]
#[case("http://127.0.0.1:9/jwks")]
#[case("http://[::1]:9/jwks")]
#[case("https://a.com/jwks")]
fn keys_come_over_https_or_from_loopback(#[case] url: &str) {
    load(&format!("{ISSUER}jwks_url = '{url}'"), &[]);
}

#[test]
fn two_issuers_differ_in_issuer_or_audience() {
    let issuer = format!("{ISSUER}jwks_file = 'a'\n");
    let other = issuer.replace("'b'", "'c'");
    load(&format!("{issuer}{other}"), &[]);
    assert_eq!(
        refusal(&format!("{issuer}{issuer}"), &[]),
        "auth.issuers.1 has the same issuer and audience as an earlier one: remove one of them \
         (in tenantry.toml)"
    );
}

#[rstest]
#[case(
    "default_plan = 'pro'",
    Some("default_plan must be the key of one of the plans")
)]
#[case("default_plan = 'pro'\n[plans.pro]", None)]
#[case("[plans.Pro]", Some("plans.Pro must be named with"))]
#[case("[plans.1]", Some("plans.1 must be named with"))]
#[case("public_url = 'https://a.com/x?y'", Some("public_url must not have"))]
#[case(
    "http.allowed_origins = ['https://a.com/']",
    Some("http.allowed_origins.0 must be")
)]
#[case(
    "http.allowed_origins = ['https://A.com']",
    Some("http.allowed_origins.0 must be")
)]
#[case(
    "http.allowed_origins = ['https://a.com:443']",
    Some("http.allowed_origins.0 must be")
)]
#[case("http.allowed_origins = ['*']", Some("http.allowed_origins.0 must be"))]
#[case(
    "http.allowed_origins = ['http://localhost:3000', 'capacitor://localhost']",
    None
)]
#[case(
    "database.url = 'mysql://h/db'",
    Some("database.url must be postgres://…")
)]
#[case(
    "database.url = 'sqlite://'",
    Some("database.url must be postgres://…")
)]
#[case("database.url = 'sqlite:///var/t.db'", None)]
#[case("database.url = 'sqlite://t.db'", None)]
#[case("database.url = 'postgres://a:1,b:2/db'", None)]
#[case(
    "database.read_url = 'postgres://h/db'",
    Some("database.read_url requires database.url")
)]
#[case(
    "database.listen_url = 'sqlite://x'",
    Some("database.listen_url must be")
)]
#[case("mail.smtp_url = 'smtps://u:p%40@h:465'", None)]
#[case(
    "mail.smtp_url = 'mail.example.com:587'",
    Some("mail.smtp_url must be")
)]
#[case("mail.from = 'no-reply@a.com'", None)]
#[case("mail.from = 'Ada'", Some("mail.from must be"))]
#[case("mail.from = 'Ada <ada@a.com'", Some("mail.from must be"))]
#[case("mail.from = \"a@b.c\\nBcc: <x@y.z>\"", Some("mail.from must be"))]
#[case(
    "mail.invitation_url = '/invitations'",
    Some("mail.invitation_url must be")
)]
#[case("files.url = 's3://bucket/path'", None)]
#[case("files.url = 'file:///var/files'", None)]
#[case("files.url = 'file://files'", Some("files.url must be"))]
#[case("files.url = 's3://key:secret@bucket'", Some("files.url must be"))]
#[case("files.url = 'gs://bucket'", Some("files.url must be"))]
#[case(
    "providers.openai.api_key = 'sk 1'",
    Some("providers.openai.api_key must be a key")
)]
#[case("providers.openai.api_key = 'sk-1_~'", None)]
#[case(
    "providers.google.base_url = 'https://a.com/v1#x'",
    Some("providers.google.base_url must not have a fragment")
)]
#[case("providers.google.base_url = 'https://a.com/v1/?version=1'", None)]
#[case("log.filter = 'tenantry=loud'", Some("log.filter must be"))]
#[case(
    "metrics.listen = '127.0.0.1:8080'",
    Some("metrics.listen must differ")
)]
#[case("metrics.listen = '127.0.0.1:9090'", None)]
#[case(
    "telemetry.endpoint = 'http://a.com:4318/?x'",
    Some("telemetry.endpoint must not have")
)]
#[case("telemetry.endpoint = 'http://a.com:4318/otlp/'", None)]
#[case("telemetry.headers = 'hunter2'", Some("telemetry.headers must be"))]
#[case("telemetry.headers = 'a b=c'", Some("telemetry.headers must be"))]
#[case("telemetry.headers = 'a=b%0Ac'", Some("telemetry.headers must be"))]
#[case("telemetry.headers = 'a=b%FF'", Some("telemetry.headers must be"))]
#[case("telemetry.headers = 'a=b,'", None)]
#[case("telemetry.sample_one_in = 1000000", None)]
fn values_go_together(#[case] text: &str, #[case] refused: Option<&str>) {
    match (try_load(text, &[]), refused) {
        (Ok(_), None) => {}
        (Err(_), Some(start)) => {
            let error = refusal(text, &[]);
            assert!(error.starts_with(start), "{error}");
        }
        (result, _) => panic!("{result:?}"),
    }
}

#[test]
fn all_that_does_not_go_together_is_said_at_once() {
    let text = "default_plan = 'pro'\ndatabase.url = 'x://'";
    let error = refusal(text, &[("TENANTRY_LOG__FILTER", "a=b=c")]);
    let problems: Vec<_> = error.split("; ").collect();
    assert_eq!(
        problems,
        [
            "default_plan must be the key of one of the plans: add it as [plans.…], or name \
             another (in tenantry.toml)",
            "database.url must be postgres://…, postgresql://…, or sqlite:// and a path \
             (in tenantry.toml)",
            "log.filter must be a level such as info, or directives such as info,tenantry=debug \
             (in the environment variable TENANTRY_LOG__FILTER)",
        ]
    );
}

#[rstest]
#[case("10.0.0.0/8", "10.255.0.1", true)]
#[case("10.0.0.0/8", "11.0.0.1", false)]
#[case("10.0.0.0/8", "::ffff:10.0.0.1", true)]
#[case("10.0.0.7", "10.0.0.7", true)]
#[case("10.0.0.7", "10.0.0.6", false)]
#[case("0.0.0.0/0", "192.0.2.1", true)]
#[case("0.0.0.0/0", "2001:db8::1", false)]
#[case("2001:db8::/32", "2001:db8:1::1", true)]
#[case("2001:db8::/32", "2001:db9::1", false)]
#[case("::/0", "::1", true)]
fn networks_contain_addresses(#[case] network: &str, #[case] address: &str, #[case] is_in: bool) {
    let network: Network = network.parse().unwrap();
    assert_eq!(network.contains(address.parse().unwrap()), is_in);
}

#[test]
fn links_lead_to_the_invitation() {
    let public_url = Url::parse("https://api.example.com").unwrap();
    let mut mail = Mail::default();
    let link = mail.invitation_link("inv_1", &public_url);
    assert_eq!(link, "https://api.example.com/");

    mail.invitation_url = Some("https://app.example.com/i/{id}?x={id}".into());
    let link = mail.invitation_link("inv_1", &public_url);
    assert_eq!(link, "https://app.example.com/i/inv_1?x=inv_1");
}

#[test]
fn the_headers_of_traces_are_taken_apart() {
    let config = load(
        "telemetry.headers = 'authorization=Bearer%20a=b, x-tenant = t%2C1'",
        &[],
    );
    let pairs = config.telemetry.header_pairs().unwrap();
    assert_eq!(pairs["authorization"], "Bearer a=b");
    assert_eq!(pairs["x-tenant"], "t,1");
    assert_eq!(pairs.len(), 2);
    assert!(Telemetry::default().header_pairs().unwrap().is_empty());
}

#[test]
fn the_defaults_are_what_is_promised() {
    let config = Config::default();
    assert!(config.auth.development_enabled());
    assert!(config.http.is_loopback());
    assert!(!config.database.is_postgres());
    assert_eq!(config.plans.keys().collect::<Vec<_>>(), ["free"]);
}
