"""Call the Partner Center emulator directly, without a socket, with a token."""

import json
from dataclasses import dataclass, field
from typing import Any

from emulators.base.server import Request, Response
from emulators.partner_center.emulator import BASE, PartnerCenterEmulator


@dataclass
class ReferralClient:
    """Sends requests with a token; write header names with underscores."""

    emulator: PartnerCenterEmulator
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, target: str, body: object = None, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.token}", "Host": "localhost:1", **self.headers, **named}
        raw = b"" if body is None else json.dumps(body).encode()
        if raw:
            sent.setdefault("Content-Type", "application/json")
        return self.emulator.handle(Request.of(method, target, sent, raw))

    def try_create(self, **changes: object) -> Response:
        """Post the example body with these changes."""
        return self.call("POST", BASE, {**self.emulator.example_body(), **changes})

    def create(self, **changes: object) -> dict[str, Any]:
        """Post the example body with these changes, and return the new record."""
        response = self.try_create(**changes)
        assert response.status == 200, response.body
        return dict(response.json())

    def get(self, referral_id: str) -> Response:
        return self.call("GET", f"{BASE}/{referral_id}")

    def patch(self, referral_id: str, *operations: object, **headers: str) -> Response:
        return self.call("PATCH", f"{BASE}/{referral_id}", list(operations), **headers)

    def list(self, query: str = "") -> Response:
        return self.call("GET", f"{BASE}?{query}" if query else BASE)


def replace_operation(path: str, value: object) -> dict[str, object]:
    """Return a JSON Patch operation that replaces one value."""
    return {"op": "replace", "path": path, "value": value}


def error_code(response: Response) -> str:
    return str(response.json()["error"]["code"])
