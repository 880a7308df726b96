"""Tries all features of the client once, as the owner of the token:

TENANTRY_URL=http://127.0.0.1:8080 TENANTRY_TOKEN=… python main.py
"""

import os
from datetime import datetime, timedelta, timezone

from tenantry import Tenantry, TenantryError


def main() -> None:
    url = os.environ.get("TENANTRY_URL", "http://127.0.0.1:8080")
    with Tenantry(url, os.environ["TENANTRY_TOKEN"]) as client:
        print("Signed in as", client.navigation()["viewer"]["email"])

        made = client.create_workspace("Rocket Labs", settings={"theme": "dark"})
        print("Made", made["name"], "with", made["settings"])
        age = datetime.now(timezone.utc) - made["createdAt"]
        print("Made today:", age < timedelta(days=1))

        # One per page, to show how several pages are read.
        for workspace in client.workspaces(page_size=1):
            print("Workspace:", workspace["name"], workspace["viewerRole"])

        try:
            client.create_workspace("Rocket Labs", slug=made["slug"])
        except TenantryError as error:
            if error.code != "SLUG_TAKEN":
                raise
            print("Refused:", error.code)

        try:
            client.create_workspace("R")
        except TenantryError as error:
            if error.code != "INVALID_INPUT":
                raise
            print("Refused:", error.code, [violation["field"] for violation in error.violations])

        expires_at = datetime.now(timezone.utc) + timedelta(hours=1)
        token = client.create_api_token("An example", expires_at)
        with Tenantry(url, token["secret"]) as script:
            print("By API token as", script.navigation()["viewer"]["email"])
        client.revoke_api_token(token["apiToken"]["id"])
        try:
            with Tenantry(url, token["secret"]) as script:
                script.navigation()
        except TenantryError as error:
            if error.code != "UNAUTHENTICATED":
                raise
            print("Refused:", error.code)


if __name__ == "__main__":
    main()
