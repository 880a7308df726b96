"""The documents that the client sends. `python documents.py` checks them against the schema."""

from datetime import date, datetime
from pathlib import Path

from gql import gql
from gql.utilities import update_schema_scalars
from graphql import GraphQLScalarType, GraphQLSchema, build_schema, validate

# Alternatively, download it from a server's /schema.graphql.
SCHEMA = Path(__file__).parents[3] / "schema.graphql"

NAVIGATION = gql("""
query Navigation {
  navigationState {
    viewer { id email name }
    currentWorkspace { id name slug }
    organizations { id name viewerAccess { role permissions } }
  }
}
""")

WORKSPACES = gql("""
query Workspaces($first: Int!, $after: String, $search: String) {
  workspaces(first: $first, after: $after, search: $search) {
    totalCount
    nodes { id name slug createdAt viewerRole }
    pageInfo { hasNextPage endCursor }
  }
}
""")

CREATE_WORKSPACE = gql("""
mutation CreateWorkspace($input: CreateWorkspaceInput!) {
  createWorkspace(input: $input) {
    workspace { id name slug settings createdAt }
    organization { id name }
  }
}
""")

CREATE_API_TOKEN = gql("""
mutation CreateApiToken($input: CreateApiTokenInput!) {
  createApiToken(input: $input) {
    apiToken { id name expiresAt }
    secret
  }
}
""")

REVOKE_API_TOKEN = gql("""
mutation RevokeApiToken($input: RevokeApiTokenInput!) {
  revokeApiToken(input: $input) { deletedId }
}
""")

ALL = [NAVIGATION, WORKSPACES, CREATE_WORKSPACE, CREATE_API_TOKEN, REVOKE_API_TOKEN]

# Other scalars stay as they arrive: URL is a str, BigInt an int, JSON any value.
SCALARS = [
    GraphQLScalarType(
        "DateTime", serialize=datetime.isoformat, parse_value=datetime.fromisoformat
    ),
    GraphQLScalarType("Date", serialize=date.isoformat, parse_value=date.fromisoformat),
]


def schema() -> GraphQLSchema:
    """Return the schema, with Python's own types for its scalars."""
    built = build_schema(SCHEMA.read_text(encoding="utf-8"))
    update_schema_scalars(built, SCALARS)
    return built


def check() -> list[str]:
    """Return the errors of all documents that do not match the schema."""
    built = schema()
    return [str(error) for request in ALL for error in validate(built, request.document)]


if __name__ == "__main__":
    raise SystemExit("\n\n".join(check()) or None)
