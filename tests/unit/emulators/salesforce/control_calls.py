"""Call the control API of the emulator."""

import json

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator


def control(emulator: SalesforceEmulator, name: str, /, **body: object) -> Response:
    """Send one control request, which must succeed."""
    answer = control_answer(emulator, name, **body)
    assert answer.status == 200, answer.body
    return answer


def control_answer(emulator: SalesforceEmulator, name: str, /, **body: object) -> Response:
    """Send one control request."""
    return emulator.handle(Request.of("POST", f"/_control/{name}", {}, json.dumps(body).encode()))
