"""Checks the right to write locks, before a deployment with `deleteLocks` creates anything.

Contributor and Role Based Access Control Administrator together do not have it (docs/reference/azure.md#locks).
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.session import Session

RIGHT = "Microsoft.Authorization/locks/write"
PERMISSIONS_API = "2022-04-01"
_LOCKED = re.compile(r"^param deleteLocks\s*=\s*true\b", re.MULTILINE)


def check_lock_right(session: Session, subscription: str) -> None:
    """Check the right if the parameter file sets locks. `subscription` is an id. Raises DeploymentFailure."""
    if not _LOCKED.search(session.parameter_file.read_text(encoding="utf-8")):
        return
    url = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/permissions?api-version={PERMISSIONS_API}"
    answer = session.run_az("rest", "--method", "get", "--url", url) or {}
    if not any(_allows(permission) for permission in answer.get("value") or []):
        raise DeploymentFailure(
            f"deleteLocks is true, but you do not have the right {RIGHT}.",
            f"Ask for the role Owner or User Access Administrator, or write `param deleteLocks = false` into "
            f"{session.parameter_file.name}. Then run again.",
        )


def _allows(permission: Mapping[str, Any]) -> bool:
    return _matches(permission.get("actions") or ()) and not _matches(permission.get("notActions") or ())


def _matches(actions: Iterable[str]) -> bool:
    """Whether one of these actions is the right. Azure ignores the case, and `*` stands for any text."""
    return any(fnmatchcase(RIGHT.casefold(), action.casefold()) for action in actions)
