"""The control API of this emulator, below `/_control`, beside what `emulators.base.emulator` offers.

POST /insert {sobject, values, user?} -> {id}      POST /edit {sobject, id, values, user?}
POST /delete {sobject, id}                         POST /undelete {sobject, id}
GET  /records?sobject=NAME[&id=ID]                 POST /touch {sobject, id}           a system change
POST /clone {sobject, id, values?} -> {id}         a person clones a record in the browser
POST /bare {bare}                                  the org's first day again, without (or with) our metadata
POST /field {sobject, xml}                         an administrator makes or changes a field by hand
POST /metadata_rights {username, has}              who may deploy; at first the administrator alone
POST /translations {languages}                     the languages of the Translation Workbench; at first none
POST /register {consumer_key, pem, username} -> {user}
POST /token {username} -> {access_token, instance_url?}      a session without signing in
POST /expire {what: "tokens" | "locators"}
POST /line_items {id, has}                         whether the opportunity's amount comes from line items
POST /validation_rule {sobject, field, message, id?, value?, times?}
POST /lock {id, code?, times?}                     DELETE /hooks    remove rules and locks
POST /commit_lag {seconds}                         edits by people become visible so much after their stamp
POST /short_pages {rows}                           every page of a query holds at most so many rows; 0 ends it
POST /usage {used?, max?}                          the daily allowance of API calls
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from emulators.base.emulator import CONTROL, checked
from emulators.base.server import Request, Response
from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.hooks import LOCKS, Lock, ValidationRule
from emulators.salesforce.data.record_ids import canonical
from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.query.paths import reader

if TYPE_CHECKING:
    from emulators.salesforce.emulator import SalesforceEmulator

type Wish = dict[str, Any]


class Control:
    """Answers control requests; what the service would refuse is refused here in the same words."""

    def __init__(self, emulator: "SalesforceEmulator") -> None:
        """Work on this emulator."""
        self._emulator = emulator
        self._posts: dict[str, Callable[[Wish], Any]] = {
            "insert": self._insert,
            "edit": self._edit,
            "delete": lambda wish: emulator.delete(wish["sobject"], wish["id"]),
            "undelete": lambda wish: emulator.undelete(wish["sobject"], wish["id"]),
            "touch": lambda wish: emulator.org.touch(wish["sobject"], _id(wish)),
            "clone": lambda wish: {"id": emulator.clone(wish["sobject"], wish["id"], wish.get("values"))},
            "field": lambda wish: emulator.make_field(wish["sobject"], wish["xml"]),
            "bare": self._start_bare,
            "metadata_rights": self._metadata_rights,
            "translations": self._translations,
            "register": self._register,
            "token": self._token,
            "expire": self._expire,
            "line_items": self._line_items,
            "validation_rule": self._validation_rule,
            "lock": self._lock,
            "commit_lag": self._commit_lag,
            "short_pages": self._short_pages,
            "usage": self._usage,
        }

    def answer(self, request: Request) -> Response | None:
        """Answer one control request; None: not known. Raises as `Emulator.control`."""
        name = request.path.removeprefix(f"{CONTROL}/")
        try:
            match request.method, name:
                case "GET", "records":
                    return Response.of(self._records(request))
                case "DELETE", "hooks":
                    self._clear_hooks()
                    return Response.of({"ok": True})
                case "POST", _ if name in self._posts:
                    return Response.of(self._posts[name](request.json()) or {"ok": True})
        except ApiError as error:
            return Response.of(error.body(), error.status)
        return None

    @staticmethod
    def shown(definition: SObject, row: Record) -> Record:
        """A copy of a row with its formula fields."""
        return {field.name: reader(definition, field)(row) for field in definition.fields.values()}

    # --- people at work

    def _insert(self, wish: Wish) -> Wish:
        return {"id": self._emulator.insert(wish["sobject"], wish["values"], user=wish.get("user"))}

    def _edit(self, wish: Wish) -> None:
        self._emulator.edit(wish["sobject"], wish["id"], wish["values"], user=wish.get("user"))

    def _records(self, request: Request) -> Any:  # noqa: ANN401 - JSON
        if "id" in request.query:
            return self._emulator.record(request.query["sobject"], request.query["id"])
        return self._emulator.records(request.query["sobject"])

    def _line_items(self, wish: Wish) -> None:
        emulator = self._emulator
        values = {"HasOpportunityLineItem": bool(wish["has"])}
        emulator.org.update("Opportunity", _id(wish), values, emulator.seller, system=True)

    # --- metadata

    def _metadata_rights(self, wish: Wish) -> None:
        users = self._emulator.deployments.users
        (users.add if wish["has"] else users.discard)(self._user(wish["username"]))

    def _user(self, username: str) -> str:
        for user in self._emulator.records("User"):
            if user["Username"] == username:
                return str(user["Id"])
        raise ValueError("no user has this name")

    def _start_bare(self, wish: Wish) -> None:
        self._emulator.bare = bool(wish["bare"])
        self._emulator.restart()

    def _translations(self, wish: Wish) -> None:
        self._emulator.deployments.languages = frozenset(map(str, wish["languages"]))

    # --- sign-in

    def _register(self, wish: Wish) -> Wish:
        return {"user": self._emulator.register_app(wish["consumer_key"], wish["pem"], wish["username"])}

    def _token(self, wish: Wish) -> Wish:
        emulator = self._emulator
        user = self._user(wish["username"]) if "username" in wish else emulator.founding.administrator
        token = emulator.oauth.open(user)
        return {"access_token": token, "instance_url": emulator.public_url}

    def _expire(self, wish: Wish) -> None:
        what = {"tokens": self._emulator.oauth.sessions.clear, "locators": self._emulator.rest.pages.expire}
        what[wish["what"]]()

    # --- what stands in the way

    def _validation_rule(self, wish: Wish) -> None:
        rule = checked(ValidationRule, wish)
        definition = self._emulator.org.model.get(rule.sobject)
        if definition.find(rule.field) is None:
            raise ValueError(f"{rule.sobject} has no field {rule.field}")
        self._emulator.org.hooks.rules.append(rule)

    def _lock(self, wish: Wish) -> None:
        code = wish.get("code", "UNABLE_TO_LOCK_ROW")
        if code not in LOCKS:
            raise ValueError(f"code is one of {sorted(LOCKS)}")
        self._emulator.org.hooks.locks[_id(wish)] = Lock(code, msgspec.convert(wish.get("times"), int | None))

    def _clear_hooks(self) -> None:
        self._emulator.org.hooks.rules.clear()
        self._emulator.org.hooks.locks.clear()

    def _commit_lag(self, wish: Wish) -> None:
        self._emulator.lag = timedelta(seconds=float(wish["seconds"]))

    def _short_pages(self, wish: Wish) -> None:
        self._emulator.rest.pages.short_pages = int(wish["rows"]) or None

    def _usage(self, wish: Wish) -> Wish:
        rest = self._emulator.rest
        used, most = int(wish.get("used", rest.used)), int(wish.get("max", rest.max_requests))
        rest.used, rest.max_requests = used, most
        return {"used": rest.used, "max": rest.max_requests}


def _id(wish: Wish) -> str:
    found = canonical(str(wish["id"]))
    if found is None:
        raise ValueError("id is no record id")
    return found
