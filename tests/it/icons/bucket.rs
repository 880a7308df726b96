//! Icons in a bucket: the whole program, configured as an operator would, against a server that speaks
//! S3.

use std::process::Stdio;

use reqwest::StatusCode;
use rstest::rstest;
use serde_json::Value;

use crate::support::bucket::{ACCESS_KEY, BUCKET, Buckets, SECRET_KEY};
use crate::support::icons::{MAX_BYTES, Offer, gif_of_length, png, put};
use crate::support::process::{Program, Serving};
use crate::support::{Database, Postgres, Sqlite, text};

fn serve(program: &Program, buckets: &Buckets, url: &str, secret: &str) -> Serving {
    let mut command = program.command(&[]);
    command
        .env("TENANTRY_FILES__URL", url)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env("AWS_ENDPOINT_URL", &buckets.url)
        .stderr(Stdio::null());
    Serving::start(&mut command)
}

async fn offer(serving: &Serving, http: &reqwest::Client, token: &str) -> Offer {
    let query = "mutation { generateWorkspaceIconUploadUrl { uploadUrl storageId } }";
    let made = serving.ask(http, token, query).await;
    let made = &made["data"]["generateWorkspaceIconUploadUrl"];
    Offer {
        url: text(made, "uploadUrl"),
        id: text(made, "storageId"),
    }
}

async fn create(serving: &Serving, http: &reqwest::Client, token: &str, icon: &str) -> Value {
    let input = format!("{{ name: \"Rocket\", iconStorageId: \"{icon}\" }}");
    let query =
        format!("mutation {{ createWorkspace(input: {input}) {{ workspace {{ iconUrl }} }} }}");
    serving.ask(http, token, &query).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn icons_can_be_kept_in_a_bucket(#[values(Sqlite, Postgres)] on: Database) {
    let (program, buckets) = (Program::new(on).await, Buckets::start().await);
    let (http, token) = (reqwest::Client::new(), program.token("ada@example.com"));
    let place = format!("s3://{BUCKET}/of/tenantry");
    let serving = serve(&program, &buckets, &place, SECRET_KEY);
    let first = offer(&serving, &http, &token).await;
    let (status, body) = put(&http, &first.url, b"<svg/>".to_vec(), None).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{body}");
    assert!(buckets.objects("").is_empty());
    let (status, body) = put(&http, &first.url, png(), Some("image/png")).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    assert_eq!(buckets.objects("of/tenantry/icons"), [png()]);
    let (status, _) = put(&http, &first.url, png(), None).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(buckets.objects("").len(), 1);
    let made = create(&serving, &http, &token, &first.id).await;
    let url = text(&made, "data.createWorkspace.workspace.iconUrl");
    let response = http.get(&url).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "image/png");
    assert_eq!(response.bytes().await.expect("a body"), png());
    // Nothing of them is on this machine's disk.
    assert!(!program.folder.path().join("data/files").exists());
}

/// Nobody takes what has come of it for the whole.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_the_bucket_does_not_finish_is_cut_off(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (program, buckets) = (Program::new(on).await, Buckets::start().await);
    let (http, token) = (reqwest::Client::new(), program.token("ada@example.com"));
    let serving = serve(&program, &buckets, &format!("s3://{BUCKET}"), SECRET_KEY);
    let offered = offer(&serving, &http, &token).await;
    let (status, body) = put(&http, &offered.url, gif_of_length(MAX_BYTES), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    buckets.done().await;
    let made = create(&serving, &http, &token, &offered.id).await;
    let url = text(&made, "data.createWorkspace.workspace.iconUrl");

    buckets.fall_silent();
    let getting = tokio::spawn(http.get(&url).send());
    // The beginning was read.
    buckets.done().await;
    buckets.lose("icons");
    buckets.speak();
    let response = getting.await.expect("no panic").expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-length"], MAX_BYTES.to_string());
    assert!(response.bytes().await.is_err());
    // From the beginning, there is nothing to be had.
    let response = http.get(&url).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_takes_nothing_is_no_fault_of_the_uploaders(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (program, buckets) = (Program::new(on).await, Buckets::start().await);
    let (http, token) = (reqwest::Client::new(), program.token("ada@example.com"));
    let place = format!("s3://{BUCKET}");
    let refused = serve(&program, &buckets, &place, "another secret");
    let offered = offer(&refused, &http, &token).await;
    let (status, body) = put(&http, &offered.url, png(), None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    assert_eq!(text(&body, "errors.0.extensions.code"), "UNAVAILABLE");
    // What the store said is for the operator only.
    assert!(!body.to_string().contains("Signature"), "{body}");
    assert!(buckets.objects("").is_empty());
    let made = create(&refused, &http, &token, &offered.id).await;
    assert_eq!(text(&made, "errors.0.extensions.code"), "INVALID_INPUT");
    drop(refused);
    // Once the operator's mistake is corrected, the same URL still works, even after a restart.
    let serving = serve(&program, &buckets, &place, SECRET_KEY);
    let path = offered.url.find("/uploads").map(|at| &offered.url[at..]);
    let url = format!("{}{}", serving.url, path.expect("a path"));
    let (status, body) = put(&http, &url, png(), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    assert_eq!(buckets.objects("icons"), [png()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_spoken_to_in_the_clear_on_this_machine_alone() {
    let program = Program::new(Sqlite).await;
    let mut command = program.command(&[]);
    command
        .env("TENANTRY_FILES__URL", "s3://tenantry-files")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_ENDPOINT_URL", "http://192.0.2.1");
    let output = command.output().expect("the program can be run");
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(
        said.contains("AWS_ENDPOINT_URL") && said.contains("AWS_ALLOW_HTTP"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    // Unless the operator allows it.
    command.env("AWS_ALLOW_HTTP", "true").stderr(Stdio::null());
    let serving = Serving::start(&mut command);
    assert!(serving.lines[0].contains("listening"));
}
