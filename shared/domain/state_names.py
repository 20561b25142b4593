"""Names of states, and the code of ISO 3166-2 that each stands for in its country.

`tests/unit/domain/state_list.py` makes `state_names.txt` from ISO 3166-2. A name that several states of a country
have is left out.
"""

from functools import cache
from pathlib import Path

from shared.domain.country_names import plain_name


def state_code(country: str, name: str) -> str | None:
    """Return the code of the state of a country, without the country; None if the name is not known."""
    return _codes().get((country, plain_name(name)))


@cache
def _codes() -> dict[tuple[str, str], str]:
    """Return the codes by country and name. The file is read at the first name, not at the start."""
    lines = Path(__file__).with_name("state_names.txt").read_text(encoding="utf-8").splitlines()
    entries = (line.partition(" ") for line in lines)
    return {(code[:2], plain_name(name)): code[3:] for code, _, name in entries}
