//! Making workspaces.

use rstest::rstest;
use serde_json::json;

use crate::support::{Database, Postgres, Sqlite, TestServer, text};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_first_workspace_comes_with_a_personal_organization(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let selection = "isFirstWorkspace workspace { slug viewerRole organization { id } }
        organization { id name slug isPersonal viewerAccess { role } }";
    let made = ada
        .mutate(
            "createWorkspace",
            json!({ "name": "Rocket Labs" }),
            selection,
        )
        .await;
    assert_eq!(made["isFirstWorkspace"], true);
    assert_eq!(made["workspace"]["slug"], "rocket-labs");
    assert_eq!(made["workspace"]["viewerRole"], "OWNER");
    assert_eq!(made["organization"]["name"], "Ada's organization");
    assert_eq!(made["organization"]["isPersonal"], true);
    assert_eq!(made["organization"]["viewerAccess"]["role"], "OWNER");
    assert_eq!(
        text(&made, "workspace.organization.id"),
        text(&made, "organization.id")
    );

    let second = ada
        .mutate(
            "createWorkspace",
            json!({ "name": "Rocket Labs" }),
            selection,
        )
        .await;
    assert_eq!(second["isFirstWorkspace"], false);
    assert_eq!(second["workspace"]["slug"], "rocket-labs-2");
    assert_eq!(
        text(&second, "organization.id"),
        text(&made, "organization.id")
    );
}
