"""Start one emulator, for example `python -m emulators salesforce --port 7083`; Ctrl-C stops it.

`python -m emulators NAME --help` lists the options of the emulator NAME.
"""

import sys
from collections.abc import Callable, Sequence

from emulators.entra.command import main as entra
from emulators.key_vault.command import main as key_vault
from emulators.managed_identity.command import main as managed_identity
from emulators.partner_center.command import main as partner_center
from emulators.salesforce.command import main as salesforce

COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "salesforce": salesforce,
    "partner-center": partner_center,
    "entra": entra,
    "key-vault": key_vault,
    "managed-identity": managed_identity,
}
USAGE = f"usage: python -m emulators {{{','.join(COMMANDS)}}} [options]"


def main(arguments: Sequence[str]) -> int:
    """Run the command that the first argument names and return its exit status; 2 if no command has that name."""
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](arguments[1:])
    if arguments and arguments[0] in {"-h", "--help"}:
        print(USAGE)
        return 0
    print(f"{USAGE}\nNo emulator has the name {arguments[0]!r}." if arguments else USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
