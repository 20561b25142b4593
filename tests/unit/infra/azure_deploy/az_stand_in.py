"""A stand-in for the Azure CLI: holds each line to a table of known commands, records it, and plays answers.

Run as `az`, or called as `az(words, environ)`. The folder `$SAMPLE_STAGE` holds `answers.json`: for each command a list
of answers, played in order, the last one again and again; an answer is `{"out": JSON}`, `{"text": "…"}` or
`{"error": "…"}`. It writes `calls.jsonl`, and keeps blobs in `blobs/` and `states.json`: a history that forgets would
prove nothing.
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

GLOBAL = {"--output", "--only-show-errors"}
BLOB = {"--account-name", "--auth-mode", "--container-name"}
APP = {"--name", "--resource-group"}
SUB = {"--location", "--name", "--parameters"}
KNOWN: dict[str, set[str]] = {
    "version": set(),
    "bicep version": set(),
    "account show": set(),
    "provider list": set(),
    "provider register": {"--namespace", "--wait"},
    "resource list": {"--resource-type"},
    "deployment sub show": {"--name"},
    "deployment sub what-if": SUB | {"--no-pretty-print"},
    "deployment sub create": SUB,
    "functionapp config appsettings list": APP,
    "functionapp deployment source config-zip": APP | {"--src"},
    "functionapp function list": APP,
    "functionapp function keys list": APP | {"--function-name"},
    "keyvault show-deleted": {"--name"},
    "rest": {"--method", "--url"},
    "storage blob upload": BLOB | {"--name", "--file", "--metadata"},
    "storage blob download": BLOB | {"--name", "--file"},
    "storage blob list": BLOB | {"--prefix", "--include"},
    "storage blob metadata update": BLOB | {"--name", "--metadata"},
    "storage blob delete": BLOB | {"--name"},
}
WATCHED = ("SYNC", "SYNC_FROM", "PUSH_PAUSED", "PULL_PAUSED", "AZURE_LOCATION", "ALERT_EMAILS", "SALESFORCE_URL")


type Done = tuple[int, str, str]


def az(words: Sequence[str], environ: Mapping[str, str]) -> Done:
    stage = Path(environ["SAMPLE_STAGE"])
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    command = " ".join(words[:first])
    options = _options(words[first:])
    _record(stage, command, words, environ)
    if command not in KNOWN:
        return _failed(f"'{command}' is misspelled or not recognized by the system.", 2)
    unknown = options.keys() - KNOWN[command] - GLOBAL
    lacking = (KNOWN[command] & {"--name", "--resource-group", "--location", "--auth-mode"}) - options.keys()
    if unknown or lacking:
        return _failed(f"unrecognized or missing arguments: {sorted(unknown | lacking)}", 2)
    return _play(stage, command, options)


def _options(words: Sequence[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word
        options[name] = "" if word.startswith("--") else word
    return options


def _record(stage: Path, command: str, words: Sequence[str], environ: Mapping[str, str]) -> None:
    said = {name: environ[name] for name in WATCHED if name in environ}
    with (stage / "calls.jsonl").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"command": command, "words": list(words), "environ": said}) + "\n")


def _play(stage: Path, command: str, options: dict[str, str]) -> Done:
    answers = json.loads((stage / "answers.json").read_text(encoding="utf-8"))
    listed = answers.get(command, [])
    answer = (listed.pop(0) if len(listed) > 1 else listed[0]) if listed else None
    (stage / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    if answer and "error" in answer:
        return _failed(answer["error"], 1)
    if command.startswith("storage blob"):
        return _blob(stage, command, options)
    if command == "functionapp deployment source config-zip":
        shutil.copy(options["--src"], stage / "running.zip")
    return 0, answer.get("text") or json.dumps(answer["out"]) if answer else "", ""


def _blob(stage: Path, command: str, options: dict[str, str]) -> Done:
    states = stage / "states.json"
    known = json.loads(states.read_text(encoding="utf-8")) if states.exists() else {}
    name = options.get("--name", "")
    blob = stage / "blobs" / name.replace("/", "_")
    blob.parent.mkdir(exist_ok=True)
    if "--metadata" in options:
        known[name] = options["--metadata"].removeprefix("state=")
    if command.endswith("upload"):
        shutil.copy(options["--file"], blob)
    elif command.endswith("download"):
        shutil.copy(blob, options["--file"])
    elif command.endswith("delete"):
        known.pop(name)
        blob.unlink()
    elif command.endswith("list"):
        rows = [{"name": each, "metadata": {"state": state}} for each, state in known.items()]
        return 0, json.dumps(rows), ""
    states.write_text(json.dumps(known), encoding="utf-8")
    return 0, "", ""


def _failed(text: str, status: int) -> Done:
    return status, "", f"ERROR: {text}\n"


if __name__ == "__main__":
    code, out, error = az(sys.argv[1:], os.environ)
    sys.stdout.write(out)
    sys.stderr.write(error)
    sys.exit(code)
