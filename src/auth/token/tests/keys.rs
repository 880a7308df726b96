use axum::http::StatusCode;
use futures_util::future::join_all;
use serde_json::json;

use super::issuer::Answer;
use super::signer::RSA;
use super::*;

fn is_unavailable<T>(answer: &Result<T, TokenError>, cause: &str) -> bool {
    matches!(answer, Err(TokenError::Unavailable { cause: it, .. }) if it.contains(cause))
}

#[tokio::test]
async fn a_new_key_is_found_and_the_old_one_forgotten() {
    let (old, new) = (Signer::ec(), Signer::ec());
    let (server, verifier) = served(&[&old]).await;
    let mut long = claims();
    long["exp"] = json!(after(36_000).timestamp());
    let (old_token, new_token) = (old.sign(&long), new.sign(&long));
    assert!(verifier.verify(&old_token, now()).await.is_ok());
    assert_eq!(server.asked(), 1);

    // It is found even if the keys were fetched just before.
    server.has(&[&new]);
    assert!(verifier.verify(&new_token, after(1)).await.is_ok());
    assert_eq!(server.asked(), 2);
    server.has(&[&old]);
    assert_eq!(
        verifier.verify(&old_token, after(60)).await,
        refused(Refusal::Key)
    );
    assert_eq!(server.asked(), 2);
    assert!(verifier.verify(&new_token, after(60)).await.is_ok());
    assert!(verifier.verify(&old_token, after(61)).await.is_ok());
    assert_eq!(server.asked(), 3);
    assert_eq!(
        verifier.verify(&new_token, after(62)).await,
        refused(Refusal::Key)
    );
}

#[tokio::test]
async fn unknown_keys_ask_once_a_minute_however_many_come() {
    let (known, unknown) = (Signer::ec(), Signer::ec());
    let (server, verifier) = served(&[&known]).await;
    let (known, unknown) = (known.sign(&claims()), unknown.sign(&claims()));
    for second in 0..180 {
        let answer = verifier.verify(&unknown, after(second)).await;
        assert_eq!(answer, refused(Refusal::Key));
        assert!(verifier.verify(&known, after(second)).await.is_ok());
    }
    // One request at first, and then three, a minute apart.
    assert_eq!(server.asked(), 4);
}

#[tokio::test]
async fn a_key_that_is_found_when_old_keys_are_refreshed_is_not_asked_for_again() {
    let (old, new) = (Signer::ec(), Signer::ec());
    let (server, verifier) = served(&[&old]).await;
    assert!(verifier.verify(&old.sign(&claims()), now()).await.is_ok());
    server.has(&[&new]);
    let new_token = new.sign(&claims());
    let answers = join_all((0..50).map(|_| verifier.verify(&new_token, after(600)))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn those_who_come_at_once_share_one_question() {
    let (old, new) = (Signer::ec(), Signer::ec());
    let (server, verifier) = served(&[&old]).await;
    let (old_token, new_token) = (old.sign(&claims()), new.sign(&claims()));
    let answers = join_all((0..50).map(|_| verifier.verify(&old_token, now()))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.asked(), 1);

    server.has(&[&old, &new]);
    let answers = join_all((0..50).map(|_| verifier.verify(&new_token, now()))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn a_request_that_goes_away_does_not_take_the_keys_with_it() {
    let key = Signer::ec();
    let (server, verifier) = served(&[&key]).await;
    let token = key.sign(&claims());
    let impatient = tokio::time::timeout(
        std::time::Duration::from_millis(5),
        verifier.verify(&token, now()),
    );
    assert!(impatient.await.is_err());
    assert!(verifier.verify(&token, now()).await.is_ok());
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn keys_are_fresh_for_ten_minutes() {
    let key = Signer::ec();
    let (server, verifier) = served(&[&key]).await;
    let token = key.sign(&claims());
    for (second, asked) in [(0, 1), (599, 1), (600, 2), (601, 2), (1199, 2), (1200, 3)] {
        assert!(verifier.verify(&token, after(second)).await.is_ok());
        assert_eq!(server.asked(), asked, "after {second} s");
    }
    // The clock was set back.
    assert!(verifier.verify(&token, after(0)).await.is_ok());
    assert_eq!(server.asked(), 4);
}

#[tokio::test]
async fn old_keys_serve_while_the_issuer_is_away() {
    let (key, unknown) = (Signer::ec(), Signer::ec());
    let (server, verifier) = served(&[&key]).await;
    let (token, unknown) = (key.sign(&claims()), unknown.sign(&claims()));
    assert!(verifier.verify(&token, now()).await.is_ok());
    let answers = [
        Answer::Down(StatusCode::SERVICE_UNAVAILABLE),
        Answer::Text("<html>".to_owned()),
        Answer::Json(json!({ "error": "try later" })),
        Answer::Json(json!([])),
    ];
    for (answer, start) in answers.into_iter().zip([600, 800, 1000, 1200]) {
        server.answers(answer);
        for second in start..start + 60 {
            assert!(verifier.verify(&token, after(second)).await.is_ok());
        }
        assert_eq!(
            verifier.verify(&unknown, after(start + 60)).await,
            refused(Refusal::Key)
        );
    }
    // One request at first, and two for each answer: when the keys were old, and a minute later.
    assert_eq!(server.asked(), 9);
}

#[tokio::test]
async fn without_any_keys_an_issuer_that_is_away_is_not_the_tokens_fault() {
    let key = Signer::ec();
    let (server, verifier) = served(&[&key]).await;
    let token = key.sign(&claims());
    server.answers(Answer::Down(StatusCode::BAD_GATEWAY));
    for second in 0..5 {
        let answer = verifier.verify(&token, after(second)).await;
        assert!(is_unavailable(&answer, "502"), "{answer:?}");
    }
    assert_eq!(server.asked(), 1);
    server.has(&[&key]);
    assert!(verifier.verify(&token, after(5)).await.is_ok());
}

#[tokio::test]
async fn nobody_listening_is_unavailable_and_the_reason_has_no_url() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let url = Url::parse(&format!("http://{address}/keys?secret=s3cret")).expect("a URL");
    let verifier = verifier(issuer_at(url));
    let answer = verifier.verify(&RSA.sign(&claims()), now()).await;
    assert!(is_unavailable(&answer, "refused"), "{answer:?}");
    assert!(!format!("{answer:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_long_answer_is_not_read() {
    let key = Signer::ec();
    let (server, verifier) = served(&[&key]).await;
    let padding = "p".repeat(1024 * 1024);
    server.answers(Answer::Json(
        json!({ "keys": [key.jwk()], "padding": padding }),
    ));
    let answer = verifier.verify(&key.sign(&claims()), now()).await;
    assert!(is_unavailable(&answer, "1 MiB"), "{answer:?}");
}

#[tokio::test]
async fn a_redirect_is_followed_on_one_server_only() {
    let key = Signer::ec();
    let (home, elsewhere) = (Server::start(&[&key]).await, Server::start(&[&key]).await);
    let token = key.sign(&claims());
    let verifier_here = verifier(issuer_at(home.url("moved")));
    assert!(verifier_here.verify(&token, now()).await.is_ok());

    home.answers(Answer::Moved(elsewhere.jwks_url().into()));
    let stays = verifier(issuer_at(home.jwks_url()));
    let answer = stays.verify(&token, now()).await;
    assert!(is_unavailable(&answer, "307"), "{answer:?}");
    assert_eq!(elsewhere.asked(), 0);

    // Refused even if the client itself follows the redirect.
    let issuers = vec![issuer_at(home.jwks_url())];
    let follows = Verifier::new(issuers, None, reqwest::Client::new());
    let answer = follows.verify(&token, now()).await;
    assert!(is_unavailable(&answer, "another server"), "{answer:?}");
}

#[tokio::test]
async fn plain_http_is_for_loopback() {
    let url = Url::parse("http://id.example/keys").expect("a URL");
    let answer = verifier(issuer_at(url))
        .verify(&RSA.sign(&claims()), now())
        .await;
    assert!(is_unavailable(&answer, "loopback"), "{answer:?}");
}

#[tokio::test]
async fn a_file_of_keys_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let mut modified = std::time::SystemTime::now();
    let mut write = |text: &str| {
        std::fs::write(&path, text).expect("a file");
        modified += std::time::Duration::from_secs(2);
        let file = std::fs::File::options().append(true).open(&path);
        file.and_then(|file| file.set_modified(modified))
            .expect("a time");
    };
    let keys = |signer: &Signer| json!({ "keys": [signer.jwk()] }).to_string();

    let (old, new) = (Signer::ec(), Signer::ed());
    let verifier = verifier(Issuer {
        jwks_url: None,
        jwks_file: Some(path.clone()),
        ..super::super::development::issuer()
    });
    let sign = |signer: &Signer| signer.sign(&claims_with("iss", json!("tenantry-development")));
    let (old_token, new_token) = (sign(&old), sign(&new));
    let answer = verifier.verify(&old_token, now()).await;
    assert!(is_unavailable(&answer, "keys.json"), "{answer:?}");

    write(&keys(&old));
    assert!(verifier.verify(&old_token, after(2)).await.is_ok());
    write(&keys(&new));
    assert!(verifier.verify(&new_token, after(3)).await.is_ok());
    assert!(verifier.verify(&new_token, after(4)).await.is_ok());
    assert_eq!(
        verifier.verify(&old_token, after(5)).await,
        refused(Refusal::Key)
    );

    write("{ half a fi");
    assert!(verifier.verify(&new_token, after(8)).await.is_ok());
    std::fs::remove_file(&path).expect("a file");
    assert!(verifier.verify(&new_token, after(12)).await.is_ok());
    write(&keys(&old));
    assert!(verifier.verify(&old_token, after(16)).await.is_ok());
}
