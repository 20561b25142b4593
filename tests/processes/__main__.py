"""Kills hosts while deals travel: `DEALS=30 KILLS=20 python -m tests.processes`.

`SEED=7` makes people do something else, and `STORAGE=azurite` keeps the store in Azurite.
"""

import os
import sys

from tests.processes.run import run_processes

DEFAULTS = {"DEALS": "30", "KILLS": "20", "SEED": "0"}


def main() -> int:
    """Run once, and print the report. The exit status is 1 if something was found."""
    deals, kills, seed = (int(os.environ.get(name, default)) for name, default in DEFAULTS.items())
    report = run_processes(deals, kills, seed=seed, on_azurite=os.environ.get("STORAGE", "").lower() == "azurite")
    sys.stdout.write(f"{report.describe()}\n")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
