"""A fake Azure CLI: accepts known commands with known options only, records each call, and gives prepared answers.

It runs as the program `az`, or as the function `run_fake_az(words, environ)`. The file `answers.json` in the folder
`$SAMPLE_AZURE_FOLDER` holds a list of answers for each command. They are given in order, and the last one repeatedly.
An answer is `{"out": JSON}`, `{"text": "…"}` or `{"error": "…"}`. Calls are written to `calls.jsonl`. Blobs are kept in
`blobs/` and their states in `states.json`, so that the tests use a real history. `locks.json` has the ids of the locks
of each resource group: a group that has one cannot be deleted.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

GLOBAL_OPTIONS = {"--output", "--only-show-errors"}
BLOB_OPTIONS = {"--account-name", "--auth-mode", "--container-name"}
APP_OPTIONS = {"--name", "--resource-group"}
DEPLOYMENT_OPTIONS = {"--location", "--name", "--parameters"}
COMMANDS: dict[str, set[str]] = {
    "version": set(),
    "bicep version": set(),
    "account show": set(),
    "provider list": set(),
    "provider register": {"--namespace", "--wait"},
    "resource list": {"--resource-type"},
    "resource show": {"--ids"},
    "deployment sub show": {"--name"},
    "deployment sub what-if": DEPLOYMENT_OPTIONS | {"--no-pretty-print"},
    "deployment sub create": DEPLOYMENT_OPTIONS,
    "deployment sub delete": {"--name"},
    "group delete": {"--name"},
    "lock list": {"--resource-group", "--query"},
    "lock delete": {"--ids"},
    "functionapp config appsettings set": APP_OPTIONS | {"--settings"},
    "functionapp config appsettings list": APP_OPTIONS,
    "functionapp deployment source config-zip": APP_OPTIONS | {"--src"},
    "functionapp function list": APP_OPTIONS,
    "functionapp list-flexconsumption-locations": set(),
    "functionapp function keys list": APP_OPTIONS | {"--function-name"},
    "keyvault show-deleted": {"--name"},
    "rest": {"--method", "--url"},
    "storage blob upload": BLOB_OPTIONS | {"--name", "--file", "--metadata"},
    "storage blob download": BLOB_OPTIONS | {"--name", "--file"},
    "storage blob list": BLOB_OPTIONS | {"--prefix", "--include"},
    "storage blob metadata update": BLOB_OPTIONS | {"--name", "--metadata"},
    "storage blob delete": BLOB_OPTIONS | {"--name"},
}
RECORDED_VARIABLES = (
    "SYNC", "SYNC_FROM", "PUSH_PAUSED", "PULL_PAUSED", "AZURE_LOCATION", "ALERT_EMAILS", "SALESFORCE_URL",
)  # fmt: skip


type Result = tuple[int, str, str]
"""Exit status, stdout and stderr."""


def run_fake_az(words: Sequence[str], environ: Mapping[str, str]) -> Result:
    folder = Path(environ["SAMPLE_AZURE_FOLDER"])
    first_option = next((index for index, word in enumerate(words) if word.startswith("-")), len(words))
    command = " ".join(words[:first_option])
    options = _parse_options(words[first_option:])
    _record_call(folder, command, words, environ)
    if command not in COMMANDS:
        return _error_result(f"'{command}' is misspelled or not recognized by the system.", 2)
    unknown = options.keys() - COMMANDS[command] - GLOBAL_OPTIONS
    missing = (COMMANDS[command] & {"--name", "--resource-group", "--location", "--auth-mode"}) - options.keys()
    if unknown or missing:
        return _error_result(f"unrecognized or missing arguments: {sorted(unknown | missing)}", 2)
    return _prepared_result(folder, command, options)


def _parse_options(words: Sequence[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word
        options[name] = "" if word.startswith("--") else f"{options[name]} {word}".strip()
    return options


def _record_call(folder: Path, command: str, words: Sequence[str], environ: Mapping[str, str]) -> None:
    variables = {name: environ[name] for name in RECORDED_VARIABLES if name in environ}
    with (folder / "calls.jsonl").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"command": command, "words": list(words), "environ": variables}) + "\n")


def _prepared_result(folder: Path, command: str, options: dict[str, str]) -> Result:
    if command == "rest" and options["--method"] != "post":
        command = f"rest {options['--method']}"
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    prepared = answers.get(command, [])
    answer = (prepared.pop(0) if len(prepared) > 1 else prepared[0]) if prepared else None
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    if answer and "error" in answer:
        return _error_result(answer["error"], 1)
    if command in ("lock list", "lock delete", "group delete"):
        return _lock_result(folder / "locks.json", command, options)
    if command == "deployment sub delete":
        (folder / f"{options['--name']}.deployment.json").unlink()
        return 0, "", ""
    if command.startswith("storage blob"):
        return _blob_result(folder / options["--account-name"], command, options)
    if command == "functionapp deployment source config-zip":
        for name in ("running.zip", f"{options['--name']}.zip"):
            shutil.copy(options["--src"], folder / name)
    if command.startswith("deployment sub ") and not (answer and command.endswith("what-if")):
        answer = _deployment_answer(folder, command, options["--name"], answer)
        if "error" in answer:
            return _error_result(answer["error"], 1)
    return 0, answer.get("text") or json.dumps(answer["out"]) if answer else "", ""


def _lock_result(path: Path, command: str, options: dict[str, str]) -> Result:
    """The locks that a group holds. It takes one query only, which chooses by a lock's name, and prints ids."""
    locks: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if command == "lock list":
        name = re.fullmatch(r"\[\?name=='([\w-]+)'\]\.id", options["--query"])
        if name is None or options.get("--output") != "tsv":
            return _error_result("the stand-in does not know this query", 2)
        chosen = [each for each in locks.get(options["--resource-group"], ()) if each.endswith(f"/locks/{name[1]}")]
        return 0, "".join(f"{each}\n" for each in chosen), ""
    if command == "lock delete":
        if not options["--ids"]:
            return _error_result("argument --ids: expected at least one argument", 2)
        kept = {group: [each for each in ids if each not in options["--ids"].split()] for group, ids in locks.items()}
        path.write_text(json.dumps(kept), encoding="utf-8")
    elif locks.get(options["--name"]):
        text = f"The scope '{options['--name']}' cannot perform delete operation because following scope(s) are locked"
        return _error_result(f"(ScopeLocked) {text}: '{locks[options['--name']][0]}'.", 1)
    return 0, "", ""


def _deployment_answer(folder: Path, command: str, name: str, prepared: dict[str, Any] | None) -> dict[str, Any]:
    """Azure keeps the last deployment of each name. `show` gives it, unless a test has prepared another answer."""
    path = folder / f"{name}.deployment.json"
    if command.endswith("create") and prepared:
        path.write_text(json.dumps(prepared), encoding="utf-8")
    if prepared:
        return prepared
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    return {"error": f"(DeploymentNotFound) Deployment '{name}' could not be found."}


def _blob_result(folder: Path, command: str, options: dict[str, str]) -> Result:
    folder.mkdir(exist_ok=True)
    path = folder / "states.json"
    states = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    beside_path = folder / "metadata.json"
    beside = json.loads(beside_path.read_text(encoding="utf-8")) if beside_path.exists() else {}
    name = options.get("--name", "")
    blob = folder / "blobs" / name.replace("/", "_")
    blob.parent.mkdir(exist_ok=True)
    if command.endswith("upload") == (name in states) and not command.endswith("list"):
        code = "BlobAlreadyExists" if name in states else "BlobNotFound"
        return _error_result(f"The specified blob is not as the command expects.\nErrorCode:{code}", 1)
    if "--metadata" in options:
        pairs = [word.split("=", 1) for word in options["--metadata"].split(" ")]
        if not all(len(pair) == 2 and re.fullmatch(r"[A-Za-z_]\w*", pair[0]) for pair in pairs):
            return _error_result("the metadata specified is invalid.\nErrorCode:InvalidMetadata", 1)
        states[name], beside[name] = dict(pairs)["state"], dict(pairs)
    if command.endswith("upload"):
        shutil.copy(options["--file"], blob)
    elif command.endswith("download"):
        shutil.copy(blob, options["--file"])
    elif command.endswith("delete"):
        states.pop(name)
        blob.unlink()
    elif command.endswith("list"):
        blobs = [{"name": each, "metadata": {**beside.get(each, {}), "state": states[each]}} for each in states]
        return 0, json.dumps(blobs), ""
    path.write_text(json.dumps(states), encoding="utf-8")
    beside_path.write_text(json.dumps(beside), encoding="utf-8")
    return 0, "", ""


def _error_result(text: str, status: int) -> Result:
    return status, "", f"ERROR: {text}\n"


if __name__ == "__main__":
    code, out, error = run_fake_az(sys.argv[1:], os.environ)
    sys.stdout.write(out)
    sys.stderr.write(error)
    sys.exit(code)
