"""Records the writes of the hundred seeds: `python -m tests.simulation.record_writes` rewrites writes.json.

Run it only if the writes are meant to change, and say in the commit why they do.
"""

import json
import logging
from pathlib import Path

import stamina

from tests.simulation.driver import simulate

SEEDS = range(100)
FILE = Path(__file__).with_name("writes.json")


def recorded_writes() -> dict[int, str]:
    """The digest of the writes of each seed, as recorded."""
    return {int(seed): digest for seed, digest in json.loads(FILE.read_text("utf-8")).items()}


def record() -> None:
    """Run all seeds and write their digests into the file."""
    logging.disable()  # the clients log each repeated read
    with stamina.set_testing(True, attempts=3, cap=True):
        digests = {seed: simulate(seed).digest for seed in SEEDS}
    FILE.write_text(json.dumps(digests, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    record()
