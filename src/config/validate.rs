//! Rules beyond the type of a single value.

use tracing_subscriber::EnvFilter;
use url::Url;

use super::database::is_postgres;
use super::{Auth, Config, Database, Http, Issuer, Mail, Providers, Secret, Telemetry};
use crate::loopback::is_confidential;

/// A key, and the text to put after it.
pub(super) type Problem = (String, String);

/// Returns all problems of a configuration whose values each have the right type.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Problems::default();
    found.public_url(config);
    found.plans(config);
    found.http(&config.http);
    found.development(config);
    found.auth(&config.auth);
    found.database(&config.database);
    found.mail(&config.mail);
    found.files(config.files.url.as_deref());
    found.providers(&config.providers);
    found.log(&config.log.filter);
    found.metrics(config);
    found.telemetry(&config.telemetry);
    found.0
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    /// Records `problem` unless `holds`.
    fn unless(&mut self, holds: bool, key: impl Into<String>, problem: impl Into<String>) {
        if !holds {
            self.0.push((key.into(), problem.into()));
        }
    }

    fn public_url(&mut self, config: &Config) {
        let is_bare = |url: &Url| url.query().is_none() && url.fragment().is_none();
        self.unless(
            config.public_url.as_ref().is_none_or(is_bare),
            "public_url",
            "must not have a query or a fragment",
        );
    }

    fn plans(&mut self, config: &Config) {
        for key in config.plans.keys() {
            let is_key = key.len() <= 50
                && key.starts_with(|first: char| first.is_ascii_lowercase())
                && key.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
                });
            self.unless(
                is_key,
                format!("plans.{key}"),
                "must be named with 1 to 50 of a-z 0-9 - _, starting with a letter",
            );
        }
        self.unless(
            config.plans.contains_key(&config.default_plan),
            "default_plan",
            "must be the key of one of the plans: add it as [plans.…], or name another",
        );
    }

    fn http(&mut self, http: &Http) {
        for (index, origin) in http.allowed_origins.iter().enumerate() {
            self.unless(
                is_origin(origin),
                format!("http.allowed_origins.{index}"),
                "must be an origin as browsers send it, such as https://app.example.com: \
                 lower-case, without a path or a trailing slash",
            );
        }
    }

    fn development(&mut self, config: &Config) {
        let is_open = config.auth.development_enabled() && config.auth.development.is_none();
        self.unless(
            !is_open || config.http.is_loopback(),
            "http.host",
            "must be a loopback address such as 127.0.0.1 while anyone can sign in with \
             development identities: configure an issuer in auth.issuers, or set \
             auth.development = true to allow it",
        );
    }

    fn auth(&mut self, auth: &Auth) {
        for (index, issuer) in auth.issuers.iter().enumerate() {
            let key = format!("auth.issuers.{index}");
            let same =
                |other: &Issuer| other.issuer == issuer.issuer && other.audience == issuer.audience;
            self.unless(
                !auth.issuers[..index].iter().any(same),
                &key,
                "has the same issuer and audience as an earlier one: remove one of them",
            );
            self.unless(
                issuer.jwks_url.is_some() != issuer.jwks_file.is_some(),
                &key,
                "must have exactly one of jwks_url and jwks_file",
            );
            for (name, url) in [
                ("jwks_url", &issuer.jwks_url),
                ("userinfo_url", &issuer.userinfo_url),
            ] {
                self.unless(
                    url.as_ref().is_none_or(is_confidential),
                    format!("{key}.{name}"),
                    "must be https; plain http is allowed only on loopback",
                );
            }
        }
    }

    fn database(&mut self, database: &Database) {
        let is_sqlite = |url: &Secret| {
            let path = url.expose().strip_prefix("sqlite://");
            path.is_some_and(|path| !path.is_empty())
        };
        self.unless(
            database
                .url
                .as_ref()
                .is_none_or(|url| is_postgres(url) || is_sqlite(url)),
            "database.url",
            "must be postgres://…, postgresql://…, or sqlite:// and a path",
        );
        for (key, url) in [
            ("database.read_url", &database.read_url),
            ("database.listen_url", &database.listen_url),
        ] {
            self.unless(
                url.as_ref().is_none_or(is_postgres),
                key,
                "must be postgres://… or postgresql://…",
            );
            self.unless(
                url.is_none() || database.is_postgres(),
                key,
                "requires database.url to be PostgreSQL: set it, or remove this key",
            );
        }
    }

    fn mail(&mut self, mail: &Mail) {
        let is_smtp = |url: &Secret| {
            Url::parse(url.expose())
                .is_ok_and(|url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host())
        };
        self.unless(
            mail.smtp_url.as_ref().is_none_or(is_smtp),
            "mail.smtp_url",
            "must be smtp://user:password@host:port or smtps://…, with / : @ in the password \
             written as %2F %3A %40",
        );
        self.unless(
            is_sender(&mail.from),
            "mail.from",
            "must be an address, or a name and an address: Tenantry <no-reply@example.com>",
        );
        let is_page = |page: &String| {
            Url::parse(page).is_ok_and(|page| matches!(page.scheme(), "http" | "https"))
        };
        self.unless(
            mail.invitation_url.as_ref().is_none_or(is_page),
            "mail.invitation_url",
            "must be a URL such as https://app.example.com/invitations/{id}",
        );
    }

    fn files(&mut self, url: Option<&str>) {
        let is_store = |url: Url| match url.scheme() {
            "file" => !url.has_host() && url.path().len() > 1,
            "s3" => url.has_host() && url.username().is_empty() && url.password().is_none(),
            _ => false,
        };
        self.unless(
            url.is_none_or(|url| Url::parse(url).is_ok_and(is_store)),
            "files.url",
            "must be file:///an/absolute/path or s3://bucket, without credentials",
        );
    }

    fn providers(&mut self, providers: &Providers) {
        for (name, provider) in providers.named() {
            // It is sent in a header.
            let is_key = |key: &Secret| key.expose().bytes().all(|byte| byte.is_ascii_graphic());
            self.unless(
                provider.api_key.as_ref().is_none_or(is_key),
                format!("providers.{name}.api_key"),
                "must be a key as the provider issued it: ASCII, without spaces or line breaks",
            );
            self.unless(
                provider.base_url.fragment().is_none(),
                format!("providers.{name}.base_url"),
                "must not have a fragment",
            );
        }
    }

    fn log(&mut self, filter: &str) {
        self.unless(
            EnvFilter::try_new(filter).is_ok(),
            "log.filter",
            "must be a level such as info, or directives such as info,tenantry=debug",
        );
    }

    fn metrics(&mut self, config: &Config) {
        let taken = config.metrics.listen.is_some_and(|listen| {
            listen.port() != 0
                && (listen.ip(), listen.port()) == (config.http.host, config.http.port)
        });
        self.unless(
            !taken,
            "metrics.listen",
            "must differ from http.host and http.port",
        );
    }

    fn telemetry(&mut self, telemetry: &Telemetry) {
        let is_base = |url: &Url| url.query().is_none() && url.fragment().is_none();
        self.unless(
            telemetry.endpoint.as_ref().is_none_or(is_base),
            "telemetry.endpoint",
            "must not have a query or a fragment",
        );
        self.unless(
            telemetry.header_pairs().is_some(),
            "telemetry.headers",
            "must be comma-separated name=value pairs, with special characters in \
             values percent-encoded (such as %20)",
        );
    }
}

/// Whether `text` is an origin in exactly the form in which browsers send it.
fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    // `Url::origin` knows the origins of these schemes only.
    if matches!(url.scheme(), "http" | "https") {
        return url.origin().ascii_serialization() == text;
    }
    // Apps in a native shell send origins such as `capacitor://localhost`.
    url.as_str() == text
        && url.has_host()
        && url.path().is_empty()
        && url.query().is_none()
        && url.fragment().is_none()
}

/// Whether mail can be sent from it: `address` or `name <address>`, on one line.
fn is_sender(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>'),
        None => Some(text),
    };
    let is_address = |address: &str| {
        address
            .rsplit_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
            && !address.contains([' ', '<', '>'])
    };
    address.is_some_and(is_address) && !text.contains(char::is_control)
}
