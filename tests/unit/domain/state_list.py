"""Makes `shared/domain/state_names.txt` from ISO 3166-2.

`python -m tests.unit.domain.state_list` writes the file anew, after a new release of the list.
"""

from collections import Counter
from pathlib import Path

import pycountry

from shared.domain import state_names
from shared.domain.country_names import plain_name
from shared.domain.iso_codes import COUNTRIES

FILE = Path(state_names.__file__).with_name("state_names.txt")


def file_text() -> str:
    """Return the file: a line for each state, with its code and a name that only it has in its country."""
    states = [(each.code, each.name) for each in pycountry.subdivisions if each.country_code in COUNTRIES]
    names = Counter((code[:2], plain_name(name)) for code, name in states)
    own = (f"{code} {name}\n" for code, name in states if names[code[:2], plain_name(name)] == 1)
    return "".join(sorted(own))


if __name__ == "__main__":
    FILE.write_text(file_text(), encoding="utf-8")
