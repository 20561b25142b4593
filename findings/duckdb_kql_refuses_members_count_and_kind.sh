#!/usr/bin/env bash
# duckdb-kql refuses a member of a dynamic value that is named `count` or `kind`: a syntax error on valid KQL.
#
# Versions  duckdb-kql 1.1.2 and antlr4-python3-runtime 4.13.2 (PyPI), Python 3.13
# Tried     2026-12-03
# One would guess   that `Line.count` reads the member `count`, as `Line.size` reads `size`. Microsoft's own parser
#                   (@kusto/language-service-next 12.4.1 of npm) finds no error in either
# Behaviour         `Line.count` and `Line.kind` are a KqlSyntaxError ("no viable alternative at input '.count'");
#                   `Line["count"]`, `Line["kind"]` and `Line.size` are translated
# Needs     bash, Python 3.13 or later. Exit status: 0 while this holds, 1 if it changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check antlr4-python3-runtime==4.13.2 duckdb-kql==1.1.2
cat > look.py <<'PY'
import duckdb_kql

def outcome(member):
    try:
        duckdb_kql.to_sql(f"Lines | project Value = tostring(Line{member})")
    except duckdb_kql.KqlSyntaxError as error:
        return str(error)
    return "translated"

EXPECTED = {
    ".count": "no viable alternative at input '.count'",
    ".kind": "no viable alternative at input '.kind'",
    ".size": "translated",
    '["count"]': "translated",
    '["kind"]': "translated",
}
for member, expected in EXPECTED.items():
    found = outcome(member)
    print(f"Line{member:10} {found}")
    assert expected in found, f"changed: expected {expected}"
PY
env/bin/python look.py || exit 1
