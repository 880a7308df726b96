use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use serde_json::json;

use super::signer::{RSA, hmac};
use super::*;
use crate::auth::token::{DevelopmentKey, DevelopmentKeyError};

const HOUR: TimeDelta = TimeDelta::hours(1);

fn key_in(folder: &Path) -> Result<DevelopmentKey, DevelopmentKeyError> {
    DevelopmentKey::load_or_create(folder)
}

fn verifier_with(key: DevelopmentKey) -> Verifier {
    let http = crate::auth::token::http_client().expect("a client");
    Verifier::new(Vec::new(), Some(key), http)
}

fn text_of(error: Result<DevelopmentKey, DevelopmentKeyError>) -> String {
    let text = error.err().expect("an error").to_string();
    assert_eq!(text.lines().count(), 1);
    text
}

#[tokio::test]
async fn it_signs_whom_it_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("not/there/yet");
    let key = key_in(&data).expect("a key");
    let later = key_in(&data).expect("the same key");
    let issued_at = now() + TimeDelta::milliseconds(123);
    let token = key.sign(" Ada@Example.com", Some("Ada"), issued_at, HOUR);

    let verifier = verifier_with(later);
    let identity = verifier.verify(&token, after(3659)).await;
    let identity = identity.expect("an identity");
    assert_eq!(identity.issuer, "tenantry-development");
    assert_eq!(identity.subject, "ada@example.com");
    assert_eq!(identity.email, "ada@example.com");
    assert!(identity.email_verified);
    assert_eq!(identity.name.as_deref(), Some("Ada"));
    assert_eq!(identity.issued_at, Some(issued_at));
    assert_eq!(identity.expires_at, after(3600));
    assert_eq!(
        verifier.verify(&token, after(3660)).await,
        refused(Refusal::Expired)
    );
}

#[tokio::test]
async fn only_its_own_tokens_are_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = key_in(folder.path()).expect("a key");
    let other = key_in(&folder.path().join("other")).expect("another key");
    let verifier = verifier_with(key);

    let token = other.sign("ada@example.com", None, now(), HOUR);
    assert_eq!(
        verifier.verify(&token, now()).await,
        refused(Refusal::Signature)
    );

    let own = claims_with("iss", json!("tenantry-development"));
    let token = RSA.sign(&own);
    assert_eq!(
        verifier.verify(&token, now()).await,
        refused(Refusal::Algorithm)
    );
    let token = hmac(&json!({ "alg": "HS256" }), &own, b"");
    assert_eq!(
        verifier.verify(&token, now()).await,
        refused(Refusal::Signature)
    );
    let token = hmac(&json!({ "alg": "HS256" }), &claims(), b"");
    assert_eq!(
        verifier.verify(&token, now()).await,
        refused(Refusal::Algorithm)
    );
}

#[tokio::test]
async fn its_key_says_nothing_for_another_issuer() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = key_in(folder.path()).expect("a key");
    let text = std::fs::read_to_string(folder.path().join("development.key")).expect("a file");
    let secret = data_encoding::HEXLOWER
        .decode(text.trim().as_bytes())
        .expect("hexadecimal digits");
    let server = Server::start(&[&RSA]).await;
    let http = crate::auth::token::http_client().expect("a client");
    let verifier = Verifier::new(vec![issuer_at(server.jwks_url())], Some(key), http);

    let header = json!({ "alg": "HS256" });
    let own = claims_with("iss", json!("tenantry-development"));
    let good = hmac(&header, &own, &secret);
    assert!(verifier.verify(&good, now()).await.is_ok());
    let as_issuer = hmac(&header, &claims(), &secret);
    assert_eq!(
        verifier.verify(&as_issuer, now()).await,
        refused(Refusal::Algorithm)
    );
    let mut elsewhere = own;
    elsewhere["aud"] = json!("elsewhere");
    let elsewhere = hmac(&header, &elsewhere, &secret);
    assert_eq!(
        verifier.verify(&elsewhere, now()).await,
        refused(Refusal::Audience)
    );
}

#[test]
fn those_who_start_at_once_get_one_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = std::sync::Barrier::new(16);
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    let key = key_in(folder.path()).expect("a key");
                    key.sign("ada@example.com", None, now(), HOUR)
                })
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, String>| thread.join();
        threads
            .into_iter()
            .map(|thread| join(thread).expect("a token"))
            .collect()
    });
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["development.key"]);
    let metadata = std::fs::metadata(folder.path().join("development.key")).expect("a file");
    assert_eq!(metadata.mode() & 0o777, 0o600);
    assert_eq!(metadata.nlink(), 1);
}

#[test]
fn a_key_that_others_can_read_or_that_is_none_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("development.key");
    assert!(key_in(folder.path()).is_ok());
    for mode in [0o640, 0o604, 0o620, 0o601] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&path, permissions).expect("a mode");
        assert!(text_of(key_in(folder.path())).contains("can be read by other users"));
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    let key = std::fs::read_to_string(&path).expect("a key");
    for text in ["", "secret", &key[..62], &format!("{}00", key.trim())] {
        std::fs::write(&path, text).expect("a file");
        let error = text_of(key_in(folder.path()));
        assert!(error.contains("holds no development key"), "{error}");
        assert!(text.is_empty() || !error.contains(text));
    }
    std::fs::write(&path, key.trim()).expect("a file");
    assert!(key_in(folder.path()).is_ok());
}

#[test]
fn a_folder_that_cannot_be_is_said_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    assert!(text_of(key_in(&file)).contains("development.key: "));
}
