"""Take over the login of the Salesforce CLI (`sf org login web`), without a shell.

`sf org display` names the org, and its token in versions before 2.136.8; later ones give the token to `sf org auth
show-access-token` only (docs/reference/salesforce.md#login-of-the-salesforce-cli). The token is in the output of the
program, so nothing of that output enters an error or the log, except the name of an error.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from shared.clients.salesforce.soql_literals import full_id, is_id
from shared.clients.salesforce.token_endpoint import Token
from shared.foundation.errors import ConfigurationError, SignInFailed, Unavailable

SECONDS = 120.0
"""The time limit of one command: the program may have to renew the session."""
_TOKEN = re.compile(r"00D\w{12}(?:\w{3})?!\S+", re.ASCII)
"""A session. The placeholder that takes its place in newer versions has another form."""
_ERROR_NAME = re.compile(r"[A-Za-z]{3,60}")


class CliLogin(Struct, frozen=True):
    """The session of a login, and the user name."""

    token: Token
    username: str


def read_login(target_org: str) -> CliLogin:
    """Return the login with this alias or user name.

    Raises ConfigurationError (the program is not installed), SignInFailed (there is no such login), Unavailable.
    """
    org = _run_sf("org", "display", target_org)
    token = str(org.get("accessToken") or "")
    if not _TOKEN.fullmatch(token):
        token = str(_run_sf("org", "auth", "show-access-token", target_org).get("accessToken") or "")
    identifier, address = str(org.get("id") or ""), str(org.get("instanceUrl") or "")
    if not _TOKEN.fullmatch(token) or not is_id(identifier) or not address:
        raise _no_login(target_org, "noSession")
    return CliLogin(
        Token(token, address.rstrip("/"), full_id(identifier), "", time.monotonic()), str(org.get("username") or "")
    )


def _run_sf(*words: str) -> Mapping[str, Any]:
    """Run `sf WORDS --target-org ORG --json`, where ORG is the last word, and return its `result`."""
    *command, target_org = words
    program = shutil.which("sf")
    if program is None:
        raise ConfigurationError(
            "the Salesforce CLI (sf) is not on the PATH: install it, or sign in with the browser (--client-id)"
        )
    environ = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "0"}  # colours would break the JSON
    try:
        done = subprocess.run(  # noqa: S603 - an argument list without a shell
            [program, *command, "--target-org", target_org, "--json"], capture_output=True, text=True,
            encoding="utf-8", timeout=SECONDS, check=False, stdin=subprocess.DEVNULL, env=environ,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Unavailable(f"sf {' '.join(command)} gave no answer in {SECONDS:.0f} seconds") from None
    except OSError as error:
        raise ConfigurationError(f"the Salesforce CLI cannot be started: {type(error).__name__}") from None
    document = _document_in(done.stdout) or _document_in(done.stderr)
    result = document.get("result")
    if done.returncode == 0 and isinstance(result, Mapping):
        return result
    raise _no_login(target_org, str(document.get("name") or ""))


def _document_in(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, Mapping) else {}


def _no_login(target_org: str, name: str) -> SignInFailed:
    code = name if _ERROR_NAME.fullmatch(name) else "sf"
    alias = shlex.quote(target_org)
    return SignInFailed(
        f"the Salesforce CLI gives no session for {target_org!r}: {code}",
        code=code,
        remedy=f"Run `sf org login web --alias {alias} --instance-url ADDRESS` with the address in SALESFORCE_URL, and "
        "sign in as an administrator.",
    )
