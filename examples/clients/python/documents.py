"""What the client asks, and a check of it all against the schema: `python documents.py`."""

from datetime import date, datetime
from pathlib import Path

from gql import gql
from gql.utilities import update_schema_scalars
from graphql import GraphQLScalarType, GraphQLSchema, build_schema, validate

# Or what a server has at /schema.graphql.
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

# What is not here stays as it comes: URL a str, BigInt an int, JSON whatever it is.
SCALARS = [
    GraphQLScalarType(
        "DateTime", serialize=datetime.isoformat, parse_value=datetime.fromisoformat
    ),
    GraphQLScalarType("Date", serialize=date.isoformat, parse_value=date.fromisoformat),
]


def schema() -> GraphQLSchema:
    """The schema, with Python's own types for its scalars."""
    built = build_schema(SCHEMA.read_text(encoding="utf-8"))
    update_schema_scalars(built, SCALARS)
    return built


def check() -> list[str]:
    """All that does not fit the schema."""
    built = schema()
    return [str(error) for request in ALL for error in validate(built, request.document)]


if __name__ == "__main__":
    raise SystemExit("\n\n".join(check()) or None)
