use axum::http::StatusCode;
use serde_json::json;

use super::issuer::Answer;
use super::*;

/// An issuer whose tokens have no email and whose userinfo endpoint answers `info`, a verifier, and a
/// token of the issuer.
async fn without_email(info: Value) -> (Server, Verifier, String) {
    let key = Signer::ec();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    std::fs::write(&path, json!({ "keys": [key.jwk()] }).to_string()).expect("a file");
    let server = Server::start(&[]).await;
    server.answers(Answer::Json(info));
    let verifier = verifier(Issuer {
        jwks_url: None,
        jwks_file: Some(path),
        userinfo_url: Some(server.url("answer")),
        ..issuer_at(server.jwks_url())
    });
    // Load the keys while their file exists.
    let with_email = verifier.verify(&key.sign(&claims()), now()).await;
    assert!(with_email.is_ok());
    assert_eq!(server.asked(), 0);
    let token = key.sign(&claims_with("email", json!(null)));
    (server, verifier, token)
}

#[tokio::test]
async fn it_is_asked_once_with_the_token() {
    let (server, verifier, token) = without_email(json!({
        "sub": "user_1",
        "email": "Ada@Example.com",
        "email_verified": "true",
        "name": "Ada",
        "picture": "https://img.example/ada.png",
    }))
    .await;
    for second in [0, 1, 3000] {
        let identity = verifier.verify(&token, after(second)).await;
        let identity = identity.expect("an identity");
        assert_eq!(identity.email, "ada@example.com");
        assert!(identity.email_verified);
        assert_eq!(identity.name.as_deref(), Some("Ada"));
        assert!(identity.picture.is_some());
    }
    assert_eq!(server.asked(), 1);
    assert_eq!(server.authorization(), Some(format!("Bearer {token}")));
}

#[tokio::test]
async fn an_address_that_is_not_verified_yet_is_asked_for_again() {
    let (server, verifier, token) =
        without_email(json!({ "sub": "user_1", "email": "ada@example.com" })).await;
    for (second, asked) in [(0, 1), (59, 1), (60, 2)] {
        let identity = verifier.verify(&token, after(second)).await;
        assert!(!identity.expect("an identity").email_verified);
        assert_eq!(server.asked(), asked);
    }
    server.answers(Answer::Json(
        json!({ "sub": "user_1", "email": "ada@example.com", "email_verified": true }),
    ));
    let identity = verifier.verify(&token, after(120)).await;
    assert!(identity.expect("an identity").email_verified);
}

#[tokio::test]
async fn an_answer_about_somebody_else_or_none_is_not_used() {
    let (server, verifier, token) = without_email(json!({})).await;
    for info in [
        json!({ "sub": "user_2", "email": "ada@example.com" }),
        json!({ "email": "ada@example.com" }),
    ] {
        server.answers(Answer::Json(info));
        let answer = verifier.verify(&token, now()).await;
        assert_eq!(answer, refused(Refusal::Userinfo));
    }
    server.answers(Answer::Down(StatusCode::UNAUTHORIZED));
    let answer = verifier.verify(&token, now()).await;
    assert_eq!(answer, refused(Refusal::Userinfo));
    server.answers(Answer::Down(StatusCode::INTERNAL_SERVER_ERROR));
    let answer = verifier.verify(&token, now()).await;
    assert!(matches!(answer, Err(TokenError::Unavailable { .. })));

    server.answers(Answer::Json(json!({ "sub": "user_1", "email": "ada" })));
    let answer = verifier.verify(&token, now()).await;
    assert_eq!(answer, refused(Refusal::Claim("email")));
    server.answers(Answer::Json(json!({ "sub": "user_1" })));
    let answer = verifier.verify(&token, now()).await;
    assert_eq!(answer, refused(Refusal::Claim("email")));
}
