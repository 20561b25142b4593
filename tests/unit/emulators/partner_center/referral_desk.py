"""A signed-in client's desk, without a socket."""

import json
from dataclasses import dataclass, field
from typing import Any

from emulators.base.server import Request, Response
from emulators.partner_center.emulator import BASE, PartnerCenterEmulator


@dataclass
class Desk:
    """Calls an emulator as a signed-in client would, without a socket."""

    pc: PartnerCenterEmulator
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, target: str, body: object = None, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.token}", "Host": "localhost:1", **self.headers, **named}
        raw = b"" if body is None else json.dumps(body).encode()
        if raw:
            sent.setdefault("Content-Type", "application/json")
        return self.pc.handle(Request.of(method, target, sent, raw))

    def create(self, **changes: object) -> Response:
        return self.call("POST", BASE, {**self.pc.example_body(), **changes})

    def created(self, **changes: object) -> dict[str, Any]:
        response = self.create(**changes)
        assert response.status == 200, response.body
        return dict(response.json())

    def get(self, referral_id: str) -> Response:
        return self.call("GET", f"{BASE}/{referral_id}")

    def patch(self, referral_id: str, *operations: object, **headers: str) -> Response:
        return self.call("PATCH", f"{BASE}/{referral_id}", list(operations), **headers)

    def list(self, query: str = "") -> Response:
        return self.call("GET", f"{BASE}?{query}" if query else BASE)


def replace(path: str, value: object) -> dict[str, object]:
    return {"op": "replace", "path": path, "value": value}


def code(response: Response) -> str:
    return str(response.json()["error"]["code"])
