"""Runs the emulated systems for `local.measure`, in a process of their own.

For each line on the standard input, it resets the systems. Then a seller ticks one opportunity, and Microsoft sends one
referral. It answers with one line of JSON: `environ` is the app's environment, and `headers` and `body` are the event
that Microsoft's dispatcher would post. The process ends when its input ends.
"""

import json
import sys
import tempfile
from pathlib import Path

import certifi

from local.systems import Systems, start_systems


def prepare_deals(systems: Systems) -> str:
    """Reset the systems, and create one deal on each side; returns the line of JSON for `local.measure`."""
    systems.reset()
    Path(systems.environ["STORE_FILE"]).unlink(missing_ok=True)
    systems.seller_creates("Measured deal")
    headers, body = systems.partner_center.signed_event(systems.partner_center.microsoft_sends())
    return json.dumps({"environ": dict(systems.environ), "headers": list(headers.items()), "body": body.decode()})


def main() -> int:
    """Answer each line until the input ends; returns 0."""
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder, start_systems(Path(folder)) as systems:
        with Path(systems.environ["CA_BUNDLE"]).open("ab") as bundle:
            bundle.write(Path(certifi.where()).read_bytes())  # a deployed app has the public roots in memory
        for _ in sys.stdin:
            print(prepare_deals(systems), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
