use rstest::rstest;
use serde_json::json;

use super::signer::RSA;
use super::*;
use crate::auth::token::Identity;

#[tokio::test]
async fn a_token_says_whom_it_is_about() {
    let key = Signer::ec();
    let (_server, verifier) = served(&[&key]).await;
    let mut claims = claims();
    claims["email"] = json!(" Ada@Example.COM ");
    claims["name"] = json!("  Ada Lovelace\u{0} ");
    claims["picture"] = json!("https://img.example/ada.png");
    claims["org_id"] = json!("org_42");
    claims["iat"] = json!(now().timestamp() as f64 - 0.75);
    let identity = verifier.verify(&key.sign(&claims), now()).await;
    assert_eq!(
        identity,
        Ok(Identity {
            issuer: ISSUER.to_owned(),
            subject: "user_1".to_owned(),
            email: "ada@example.com".to_owned(),
            email_verified: true,
            name: Some("Ada Lovelace".to_owned()),
            picture: Some(Url::parse("https://img.example/ada.png").expect("a URL")),
            workos_organization_id: Some("org_42".to_owned()),
            issued_at: Some(now() - TimeDelta::milliseconds(750)),
            expires_at: after(3600),
        })
    );
}

#[rstest]
#[case("RS256")]
#[case("PS256")]
#[case("ES256")]
#[case("EdDSA")]
#[tokio::test]
async fn every_algorithm_with_and_without_a_key_id(#[case] algorithm: &str) {
    let (ec, ed) = (Signer::ec(), Signer::ed());
    let (_server, verifier) = served(&[&RSA, &ec, &ed]).await;
    let key = match algorithm {
        "ES256" => &ec,
        "EdDSA" => &ed,
        _ => &*RSA,
    };
    let with = key.sign_as(&json!({ "alg": algorithm, "kid": key.id() }), &claims());
    let without = key.sign_as(&json!({ "alg": algorithm }), &claims());
    assert!(verifier.verify(&with, now()).await.is_ok());
    assert!(verifier.verify(&without, now()).await.is_ok());
}

#[tokio::test]
async fn one_issuer_with_an_audience_for_each_of_its_applications() {
    let key = Signer::ec();
    let server = Server::start(&[&key]).await;
    let issuers = ["web", "phone"].map(|audience| Issuer {
        audience: audience.to_owned(),
        ..issuer_at(server.jwks_url())
    });
    let http = crate::auth::token::http_client().expect("a client");
    let verifier = Verifier::new(issuers.into(), None, http);
    for (audience, accepted) in [
        (json!("web"), true),
        (json!(["other", "phone"]), true),
        (json!("we"), false),
        (json!([]), false),
        (json!([["web"]]), false),
        (json!({ "web": true }), false),
    ] {
        let token = key.sign(&claims_with("aud", audience.clone()));
        let answer = verifier.verify(&token, now()).await;
        assert_eq!(answer.is_ok(), accepted, "{audience}");
        if !accepted {
            assert_eq!(answer, refused(Refusal::Audience));
        }
    }
}

#[rstest]
#[case(json!(true), None, true)]
#[case(json!("true"), None, true)]
#[case(json!(false), None, false)]
#[case(json!("false"), None, false)]
#[case(json!(1), None, false)]
#[case(json!(null), None, false)]
#[case(json!(true), Some("EXAMPLE.com"), true)]
#[case(json!(true), Some("other.example"), false)]
#[case(json!(true), Some("ple.com"), false)]
#[case(json!(true), Some("com"), false)]
#[case(json!(true), Some(""), false)]
#[tokio::test]
async fn an_address_is_verified_if_the_issuer_says_so_and_may(
    #[case] claim: Value,
    #[case] domain: Option<&str>,
    #[case] verified: bool,
) {
    let key = Signer::ec();
    let server = Server::start(&[&key]).await;
    let verifier = verifier(Issuer {
        email_domains: domain.map(|domain| vec![domain.to_owned()]),
        ..issuer_at(server.jwks_url())
    });
    let token = key.sign(&claims_with("email_verified", claim));
    let identity = verifier.verify(&token, now()).await.expect("an identity");
    assert_eq!(identity.email_verified, verified);
}

#[tokio::test]
async fn a_domain_is_the_same_in_unicode_and_in_ascii() {
    let key = Signer::ec();
    let server = Server::start(&[&key]).await;
    let verifier = verifier(Issuer {
        email_domains: Some(vec!["Bücher.example".to_owned()]),
        ..issuer_at(server.jwks_url())
    });
    for email in ["ada@bücher.example", "ada@xn--bcher-kva.example"] {
        let token = key.sign(&claims_with("email", json!(email)));
        let identity = verifier.verify(&token, now()).await.expect("an identity");
        assert!(identity.email_verified, "{email}");
    }
}

#[tokio::test]
async fn claims_have_the_names_that_are_configured() {
    let key = Signer::ec();
    let server = Server::start(&[&key]).await;
    let mut issuer = issuer_at(server.jwks_url());
    issuer.claims.email = "https://example.com/mail".to_owned();
    issuer.claims.name = "nickname".to_owned();
    let verifier = verifier(issuer);
    let mut claims = claims_with("https://example.com/mail", json!("countess@example.com"));
    claims["nickname"] = json!("Ada");
    claims["name"] = json!("not asked for");
    let identity = verifier.verify(&key.sign(&claims), now()).await;
    let identity = identity.expect("an identity");
    assert_eq!(identity.email, "countess@example.com");
    assert_eq!(identity.name.as_deref(), Some("Ada"));
}

#[rstest]
#[case("name", json!(" \t "))]
#[case("name", json!(["Ada"]))]
#[case("picture", json!("javascript:alert(1)"))]
#[case("picture", json!("data:image/png;base64,AAAA"))]
#[case("picture", json!("/ada.png"))]
#[case("picture", json!(format!("https://img.example/{}", "a".repeat(2048))))]
#[case("org_id", json!(""))]
#[case("org_id", json!("a\nb"))]
#[tokio::test]
async fn what_is_only_nice_to_have_is_left_out(#[case] claim: &str, #[case] value: Value) {
    let key = Signer::ec();
    let (_server, verifier) = served(&[&key]).await;
    let token = key.sign(&claims_with(claim, value));
    let identity = verifier.verify(&token, now()).await.expect("an identity");
    assert_eq!(identity.name, None);
    assert_eq!(identity.picture, None);
    assert_eq!(identity.workos_organization_id, None);
}

#[tokio::test]
async fn a_long_name_is_cut() {
    let key = Signer::ec();
    let (_server, verifier) = served(&[&key]).await;
    let token = key.sign(&claims_with("name", json!("ä".repeat(500))));
    let identity = verifier.verify(&token, now()).await.expect("an identity");
    assert_eq!(identity.name, Some("ä".repeat(200)));
}
