use rstest::rstest;
use serde_json::json;

use super::signer::{RSA, encode, hmac, token};
use super::*;

#[rstest]
#[case::no_expiry("exp", json!(null), Refusal::Claim("exp"))]
#[case::expiry_in_words("exp", json!("tomorrow"), Refusal::Claim("exp"))]
#[case::expiry_out_of_time("exp", json!(1e300), Refusal::Claim("exp"))]
#[case::no_subject("sub", json!(null), Refusal::Claim("sub"))]
#[case::empty_subject("sub", json!(""), Refusal::Claim("sub"))]
#[case::numeric_subject("sub", json!(7), Refusal::Claim("sub"))]
#[case::long_subject("sub", json!("s".repeat(256)), Refusal::Claim("sub"))]
#[case::subject_no_database_takes("sub", json!("a\u{0}b"), Refusal::Claim("sub"))]
#[case::no_email("email", json!(null), Refusal::Claim("email"))]
#[case::empty_email("email", json!("  "), Refusal::Claim("email"))]
#[case::email_without_at("email", json!("ada"), Refusal::Claim("email"))]
#[case::email_with_two("email", json!("ada@example.com@evil.example"), Refusal::Claim("email"))]
#[case::email_with_space("email", json!("ada lovelace@example.com"), Refusal::Claim("email"))]
#[case::long_email("email", json!(format!("{}@example.com", "a".repeat(243))), Refusal::Claim("email"))]
#[case::no_audience("aud", json!(null), Refusal::Audience)]
#[case::other_audience("aud", json!("Tenantry"), Refusal::Audience)]
#[case::no_issuer("iss", json!(null), Refusal::Claim("iss"))]
#[case::issuer_with_slash("iss", json!("https://id.example/"), Refusal::Issuer)]
#[case::issuer_in_capitals("iss", json!("https://ID.example"), Refusal::Issuer)]
#[case::long_issuer("iss", json!("i".repeat(256)), Refusal::Claim("iss"))]
#[case::development_without_a_key("iss", json!("tenantry-development"), Refusal::Issuer)]
#[case::start_in_words("nbf", json!([]), Refusal::Claim("nbf"))]
#[tokio::test]
async fn a_claim(#[case] name: &str, #[case] value: Value, #[case] refusal: Refusal) {
    let key = Signer::ec();
    let (_server, verifier) = served(&[&key]).await;
    let token = key.sign(&claims_with(name, value));
    assert_eq!(verifier.verify(&token, now()).await, refused(refusal));
}

#[rstest]
#[case("exp", -59, None)]
#[case("exp", -60, Some(Refusal::Expired))]
#[case("nbf", 60, None)]
#[case("nbf", 61, Some(Refusal::NotYetValid))]
#[case("iat", 60, None)]
#[case("iat", 61, Some(Refusal::IssuedInFuture))]
#[tokio::test]
async fn a_time_beyond_a_minute_of_leeway(
    #[case] claim: &str,
    #[case] seconds: i64,
    #[case] refusal: Option<Refusal>,
) {
    let key = Signer::ec();
    let (server, verifier) = served(&[&key]).await;
    let token = key.sign(&claims_with(claim, json!(after(seconds).timestamp())));
    let answer = verifier.verify(&token, now()).await;
    assert_eq!(answer.err(), refusal.map(TokenError::Invalid));
    assert_eq!(server.asked(), usize::from(refusal.is_none()));
}

#[rstest]
#[case("")]
#[case("a")]
#[case("a.b")]
#[case("..")]
#[case("a.b.c.d")]
#[case("tnt_0123456789")]
#[tokio::test]
async fn what_is_no_token(#[case] text: &str) {
    let (_server, verifier) = served(&[]).await;
    assert_eq!(
        verifier.verify(text, now()).await,
        refused(Refusal::Malformed)
    );
}

#[tokio::test]
async fn a_token_that_was_tampered_with() {
    let key = Signer::ec();
    let (_server, verifier) = served(&[&key]).await;
    let good = key.sign(&claims());
    let header = json!({ "alg": "ES256", "kid": key.id() });

    let (head, signature) = good.rsplit_once('.').expect("three parts");
    let other = key.sign(&claims_with("sub", json!("user_2")));
    let (other_head, _) = other.rsplit_once('.').expect("three parts");
    for (text, refusal) in [
        (format!("{other_head}.{signature}"), Refusal::Signature),
        (format!("{head}."), Refusal::Signature),
        (format!("{head}.{signature}A"), Refusal::Signature),
        (token(&header, &claims(), &[0; 64]), Refusal::Signature),
        (
            format!("{head}.{signature}.{signature}"),
            Refusal::Malformed,
        ),
        (format!("{good}="), Refusal::Signature),
        (token(&json!([]), &claims(), &[]), Refusal::Malformed),
        (token(&header, &json!("claims"), &[]), Refusal::Malformed),
        ("a".repeat(16 * 1024 + 1), Refusal::TooLong),
    ] {
        assert_eq!(verifier.verify(&text, now()).await, refused(refusal));
    }
    assert!(verifier.verify(&good, now()).await.is_ok());
}

#[rstest]
#[case("none")]
#[case("None")]
#[case("")]
#[case("HS256")]
#[case("HS512")]
#[case("RS384")]
#[case("RS512")]
#[case("ES384")]
#[case("es256")]
#[tokio::test]
async fn another_algorithm(#[case] algorithm: &str) {
    let (server, verifier) = served(&[&RSA]).await;
    let header = json!({ "alg": algorithm, "kid": RSA.id() });
    for token in [
        token(&header, &claims(), &[]),
        RSA.sign_as(&header, &claims()),
    ] {
        let answer = verifier.verify(&token, now()).await;
        assert_eq!(answer, refused(Refusal::Algorithm));
    }
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn a_public_key_taken_for_a_secret() {
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::signature::KeyPair;

    let (_server, verifier) = served(&[&RSA]).await;
    let Signer::Rsa(pair) = &*RSA else {
        unreachable!()
    };
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("DER");
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        data_encoding::BASE64.encode(spki.as_ref())
    );
    let modulus = RSA.jwk()["n"].as_str().expect("a modulus").to_owned();
    for secret in [pem.as_bytes(), spki.as_ref(), modulus.as_bytes(), b""] {
        let header = json!({ "alg": "HS256", "kid": RSA.id() });
        let token = hmac(&header, &claims(), secret);
        let answer = verifier.verify(&token, now()).await;
        assert_eq!(answer, refused(Refusal::Algorithm));
    }
}

#[tokio::test]
async fn a_secret_among_the_keys() {
    let server = Server::start(&[]).await;
    let secret = json!({ "kty": "oct", "kid": "s", "k": encode(b"secret"), "alg": "HS256" });
    server.answers(issuer::Answer::Json(json!({ "keys": [secret] })));
    let verifier = verifier(issuer_at(server.jwks_url()));
    let token = hmac(&json!({ "alg": "HS256", "kid": "s" }), &claims(), b"secret");
    let answer = verifier.verify(&token, now()).await;
    assert_eq!(answer, refused(Refusal::Algorithm));
}

#[rstest]
#[case::rsa_key("ES256", RSA.jwk(), Refusal::KeyMismatch)]
#[case::pss_with_a_pkcs1_key("PS256", RSA.jwk_with("alg", json!("RS256")), Refusal::KeyMismatch)]
#[case::pkcs1_with_a_pss_key("RS256", RSA.jwk_with("alg", json!("PS256")), Refusal::KeyMismatch)]
#[case::key_of_another_algorithm("RS256", RSA.jwk_with("alg", json!("RS512")), Refusal::Key)]
#[case::key_for_encryption("RS256", RSA.jwk_with("use", json!("enc")), Refusal::Key)]
#[case::key_for_wrapping("RS256", RSA.jwk_with("key_ops", json!(["wrapKey"])), Refusal::Key)]
#[case::key_of_another_kind("RS256", RSA.jwk_with("kty", json!("EC")), Refusal::Key)]
#[case::key_without_modulus("RS256", RSA.jwk_with("n", json!(null)), Refusal::Key)]
#[case::small_key("RS256", RSA.jwk_with("n", json!(encode(&[0xA5; 128]))), Refusal::Signature)]
#[case::cut_point("ES256", Signer::ec().jwk_with("x", json!(encode(&[1; 31]))), Refusal::Key)]
#[case::other_curve("ES256", Signer::ec().jwk_with("crv", json!("P-384")), Refusal::Key)]
#[case::no_point("ES256", Signer::ec().jwk_with("x", json!(encode(&[1; 32]))), Refusal::Signature)]
#[tokio::test]
async fn a_key_that_is_not_for_this(
    #[case] algorithm: &str,
    #[case] mut jwk: Value,
    #[case] refusal: Refusal,
) {
    jwk["kid"] = json!("1");
    let server = Server::start(&[]).await;
    server.answers(issuer::Answer::Json(json!({ "keys": [jwk, "no key", {}] })));
    let verifier = verifier(issuer_at(server.jwks_url()));
    let token = RSA.sign_as(&json!({ "alg": algorithm, "kid": "1" }), &claims());
    assert_eq!(verifier.verify(&token, now()).await, refused(refusal));
}

#[tokio::test]
async fn a_key_that_the_token_brings_itself() {
    let (known, own) = (Signer::ec(), Signer::ec());
    let (_server, verifier) = served(&[&known]).await;
    let header = json!({ "alg": "ES256", "kid": known.id(), "jwk": own.jwk() });
    let token = own.sign_as(&header, &claims());
    let answer = verifier.verify(&token, now()).await;
    assert_eq!(answer, refused(Refusal::Signature));
}

#[tokio::test]
async fn a_header_that_has_to_be_understood() {
    let key = Signer::ec();
    let (_server, verifier) = served(&[&key]).await;
    let header = json!({ "alg": "ES256", "kid": key.id(), "crit": ["b64"], "b64": true });
    let answer = verifier
        .verify(&key.sign_as(&header, &claims()), now())
        .await;
    assert_eq!(answer, refused(Refusal::CriticalHeader));
}

#[tokio::test]
async fn no_key_id_where_several_keys_fit() {
    let (one, other) = (Signer::ec(), Signer::ec());
    let (_server, verifier) = served(&[&one, &other]).await;
    let token = one.sign_as(&json!({ "alg": "ES256" }), &claims());
    assert_eq!(verifier.verify(&token, now()).await, refused(Refusal::Key));
}

#[test]
fn a_reason_holds_nothing_of_the_token() {
    let unavailable = TokenError::Unavailable {
        issuer: ISSUER.to_owned(),
        cause: "it answered 500".to_owned(),
    };
    assert_eq!(
        unavailable.to_string(),
        "the issuer https://id.example is unavailable: it answered 500"
    );
    assert_eq!(
        TokenError::Invalid(Refusal::Claim("sub")).to_string(),
        "the token is refused: its claim sub is missing or malformed"
    );
}
