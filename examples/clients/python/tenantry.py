"""A small client for Tenantry."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport

import documents


class TenantryError(Exception):
    """An error returned by the server. `code` is a value of the enum `ErrorCode`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        extensions = error.get("extensions", {})
        self.code: str | None = extensions.get("code")
        self.violations: list[dict[str, str]] = extensions.get("violations", [])


class Tenantry:
    """A connection to a server, authenticated by a token. Use it as a context manager."""

    def __init__(self, url: str, token: str) -> None:
        transport = HTTPXTransport(
            url=f"{url}/graphql",
            headers={
                "Accept": "application/graphql-response+json",
                "Authorization": f"Bearer {token}",
            },
            timeout=httpx.Timeout(30),
        )
        # With the schema, documents and variables are checked before they are sent, and DateTime
        # values are converted from and to datetime.
        self._client = Client(
            schema=documents.schema(),
            transport=transport,
            parse_results=True,
            serialize_variables=True,
        )

    def __enter__(self) -> "Tenantry":
        self._session = self._client.connect_sync()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close_sync()

    def _send(self, request: GraphQLRequest, **variables: Any) -> dict[str, Any]:
        request = GraphQLRequest(request, variable_values=variables or None)
        try:
            return self._session.execute(request)
        except TransportQueryError as error:
            if not error.errors:
                raise
            raise TenantryError(error.errors[0]) from error

    def navigation(self) -> dict[str, Any]:
        """Return the viewer, and the workspaces and organizations they can switch to."""
        return self._send(documents.NAVIGATION)["navigationState"]

    def workspaces(self, page_size: int = 50, search: str | None = None) -> Iterator[dict[str, Any]]:
        """Iterate over all workspaces of the viewer, fetching pages as needed."""
        after = None
        while True:
            page = self._send(documents.WORKSPACES, first=page_size, after=after, search=search)
            page = page["workspaces"]
            yield from page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def create_workspace(self, name: str, **more: Any) -> dict[str, Any]:
        """Create a workspace; `more` are other fields of `CreateWorkspaceInput`."""
        made = self._send(documents.CREATE_WORKSPACE, input={"name": name, **more})
        return made["createWorkspace"]["workspace"]

    def create_api_token(self, name: str, expires_at: datetime | None = None) -> dict[str, Any]:
        """Create an API token for scripts; its secret is returned only here."""
        given = {"name": name, "expiresAt": expires_at}
        return self._send(documents.CREATE_API_TOKEN, input=given)["createApiToken"]

    def revoke_api_token(self, token_id: str) -> None:
        """Revoke one of the viewer's own tokens."""
        self._send(documents.REVOKE_API_TOKEN, input={"apiTokenId": token_id})
