"""Build a webhook request step by step."""

import base64
import json
from dataclasses import dataclass, field

from tests.unit.webhook.throwaway_chain import CERTIFICATE_URL, Identity, good_chain

ID = "5d0f3f5e-7c1f-4b0e-9d55-0c9a1f2e3d4c"
RESOURCE = f"https://api.partnercenter.microsoft.com/engagements/v1/referrals/{ID}"
BODY = json.dumps({"EventName": "referral-updated", "ResourceUri": RESOURCE, "ResourceName": "referral"}).encode()
SIGNATURE, URL, ALGORITHM = "x-ms-signature", "X-MS-Certificate-Url", "X-MS-Signature-Algorithm"


def in_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@dataclass
class RequestDraft:
    """A request under construction. `is_genuine` is false after a change for which it must be refused."""

    body: bytes = BODY
    headers: list[tuple[str, str]] = field(default_factory=list)
    is_genuine: bool = True

    @classmethod
    def signed(cls, body: bytes = BODY, signer: Identity | None = None) -> "RequestDraft":
        signature = (signer or good_chain().leaf).sign(body)
        headers = [
            ("Host", "connector.example.test"),
            ("Content-Type", "application/json"),
            (SIGNATURE, f"Signature {in_base64(signature)}"),
            (URL, CERTIFICATE_URL),
            (ALGORITHM, "rsa-sha256"),
        ]
        return cls(body, headers)

    def header_value(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def set_header(self, name: str, value: str) -> None:
        self.headers = [(key, value if key == name else old) for key, old in self.headers]

    def drop_header(self, name: str) -> None:
        self.headers = [pair for pair in self.headers if pair[0] != name]

    def rename_header(self, name: str, new: str) -> None:
        self.headers = [(new if key == name else key, value) for key, value in self.headers]
