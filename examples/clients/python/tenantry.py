"""A small client of Tenantry."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport

import documents


class TenantryError(Exception):
    """What the server refused, and why: `code` is a value of the enum `ErrorCode`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        extensions = error.get("extensions", {})
        self.code: str | None = extensions.get("code")
        self.violations: list[dict[str, str]] = extensions.get("violations", [])


class Tenantry:
    """A connection to a server, as whoever has the token. Use it with `with`."""

    def __init__(self, url: str, token: str) -> None:
        transport = HTTPXTransport(
            url=f"{url}/graphql",
            headers={
                "Accept": "application/graphql-response+json",
                "Authorization": f"Bearer {token}",
            },
            timeout=httpx.Timeout(30),
        )
        # Documents and variables are checked here before they are sent, and a DateTime comes and
        # goes as a datetime.
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
        """Who the viewer is, and what they can switch to."""
        return self._send(documents.NAVIGATION)["navigationState"]

    def workspaces(self, page_size: int = 50, search: str | None = None) -> Iterator[dict[str, Any]]:
        """All workspaces of the viewer, of which a page is asked for when it is needed."""
        after = None
        while True:
            page = self._send(documents.WORKSPACES, first=page_size, after=after, search=search)
            page = page["workspaces"]
            yield from page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def create_workspace(self, name: str, **more: Any) -> dict[str, Any]:
        """Makes a workspace; `more` are other fields of `CreateWorkspaceInput`."""
        made = self._send(documents.CREATE_WORKSPACE, input={"name": name, **more})
        return made["createWorkspace"]["workspace"]

    def create_api_token(self, name: str, expires_at: datetime | None = None) -> dict[str, Any]:
        """Makes a token for scripts such as this; its secret is shown once."""
        given = {"name": name, "expiresAt": expires_at}
        return self._send(documents.CREATE_API_TOKEN, input=given)["createApiToken"]

    def revoke_api_token(self, token_id: str) -> None:
        """Ends one of the viewer's own tokens."""
        self._send(documents.REVOKE_API_TOKEN, input={"apiTokenId": token_id})
