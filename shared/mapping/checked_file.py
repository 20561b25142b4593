"""The record of a mapping file that was checked when the zip was made, so that a start need not check it again.

The record has the hashes of the file and of all that checks it. It holds no content of the file: whoever uses the
mapping still reads and checks the file, only later than the first event. A record that does not match is ignored.

This module imports nothing that reads a mapping file: that is what a start does without.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

RECORD = "mapping/checked.json"
"""The path in the app's folder."""
CODE = ("requirements.txt", "shared/domain/", "shared/mapping/")
"""What decides whether a file is right: one file, and all code and tables of two folders."""
_SUFFIXES = (".py", ".toml")


def make_record(mapping: bytes, code: Mapping[str, bytes]) -> bytes:
    """Return the record of a file that was checked by this code (the content of each file, by path)."""
    record = {"mapping": _hash_of(mapping), "code": _hash_of_code(code.items())}
    return (json.dumps(record, indent=2, sort_keys=True) + "\n").encode()


def unchecked_reason(path: Path, home: Path) -> str | None:
    """Return why the mapping file at `path` must be checked at the start; None if the code in `home` has checked it.

    The reasons: `no_record`, `unreadable`, `other_file`, `other_code`.
    """
    try:
        record = json.loads((home / RECORD).read_bytes())
        checked = (record["mapping"], record["code"])
        if checked[0] != _hash_of(path.read_bytes()):
            return "other_file"
        return None if checked[1] == _hash_of_code(_code_in(home)) else "other_code"
    except FileNotFoundError:
        return "no_record"
    except (OSError, ValueError, KeyError, TypeError):
        return "unreadable"


def _hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hash_of_code(files: Iterable[tuple[str, bytes]]) -> str:
    """Return the hash of the files that `CODE` names, and of the version of Python."""
    total = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for name, data in sorted(files):
        if _is_code(name):
            total.update(f"{name} {len(data)}\n".encode())
            total.update(data)
    return total.hexdigest()


def _is_code(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return name in CODE or (f"{folder}/" in CODE and file.endswith(_SUFFIXES))


def _code_in(home: Path) -> Iterable[tuple[str, bytes]]:
    for name in CODE:
        if not name.endswith("/"):
            yield name, (home / name).read_bytes()
            continue
        with os.scandir(home / name) as entries:  # half the time of pathlib
            for entry in entries:
                if entry.name.endswith(_SUFFIXES):
                    yield f"{name}{entry.name}", Path(entry.path).read_bytes()
