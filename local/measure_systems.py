"""All emulated systems in a process of their own, with one deal on each side: what `local.measure` acts on.

For every line on the standard input everything is as at the start, a seller has flagged one opportunity and Microsoft
has sent one referral. One line of JSON then says how the app finds the systems and what the dispatcher would post:
`environ`, `headers`, `body`. The end of the input ends the process.
"""

import json
import sys
import tempfile
from pathlib import Path

from local.systems import Systems, started


def stage(systems: Systems) -> str:
    """One deal on each side; the line that tells of it."""
    systems.reset()
    Path(systems.environ["STORE_FILE"]).unlink(missing_ok=True)
    systems.seller_creates("Measured deal")
    headers, body = systems.partner_center.signed_event(systems.partner_center.microsoft_sends())
    return json.dumps({"environ": dict(systems.environ), "headers": list(headers.items()), "body": body.decode()})


def main() -> int:
    """Serve until the input ends."""
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder, started(Path(folder)) as systems:
        for _ in sys.stdin:
            print(stage(systems), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
