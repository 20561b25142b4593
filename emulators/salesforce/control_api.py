"""Answer the control API of this emulator, below `/_control`, in addition to that of `emulators.base.emulator`.

POST /insert {sobject, values, user?} -> {id}      POST /edit {sobject, id, values, user?}
POST /delete {sobject, id}                         POST /undelete {sobject, id}
GET  /records?sobject=NAME[&id=ID]                 POST /touch {sobject, id}           make a system change
GET  /notifications                                list the custom notifications that were sent
POST /clone {sobject, id, values?} -> {id}         clone a record as the seller does in the browser
POST /bare {bare}                                  begin the first day again, without (or with) this project's metadata
POST /currencies {several}                          begin the first day again, with several currencies or one
POST /currency {code, active}                      activate or deactivate a currency
POST /field {sobject, xml}                         make or change a field by hand in Setup
POST /metadata_rights {username, has}              choose who may deploy; at first only the administrator
POST /view_setup {username, has}                   choose who sees objects of Setup; at first only the administrator
POST /translations {languages}                     set the languages of the Translation Workbench; at first none
POST /register {consumer_key, pem, username} -> {user}
POST /browser_app {consumer_key, callbacks, usernames}    add an app with which these users sign in by the browser
POST /admit {consumer_key, username}               let an app admit one more user
POST /token {username?} -> {access_token, instance_url?}      open a session without signing in
POST /expire {what: "tokens" | "locators"}
POST /line_items {id, has, amount?}                choose whether line items decide the amount, and their sum
POST /validation_rule {sobject, field, message, id?, value?, times?}
GET  /validation_rule                              list the rules that control calls made
DELETE /validation_rule {message}                  remove one, by its message
POST /flow {sobject, values, on?: "insert" | "update", when?, times?}    set values in each save, as a before-save flow
POST /lock {id, code?, times?}                     DELETE /hooks    remove all rules, flows and locks
POST /subrequest_fault {code, method?, path?, times?, skip?}             fail subrequests of a Composite or graph
POST /commit_lag {seconds}                         make people's edits visible that much later than their stamp
POST /short_pages {rows, lists?}                   limit every page of a query, and of a subquery; 0: no limit
POST /usage {used?, max?}                          set the daily count and allowance of API calls

`control_switches.py` adds the switches that make the org as strict as real orgs are.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from emulators.base.control_body import convert_strictly
from emulators.base.emulator import CONTROL
from emulators.base.server import Request, Response
from emulators.salesforce.control_switches import switch_controls, user_id
from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.hooks import LOCKS, Flow, Lock, ValidationRule
from emulators.salesforce.data.record_ids import canonical_id
from emulators.salesforce.data.subrequest_faults import SubrequestFault
from emulators.salesforce.emulated_org import EmulatedOrg

type Body = dict[str, Any]


class ControlApi:
    """Answers control requests. The checks of the service apply, and refusals have its form."""

    def __init__(self, emulated_org: EmulatedOrg) -> None:
        self._emulated_org = emulated_org
        self._posts: dict[str, Callable[[Body], Any]] = {
            "insert": self._insert_record,
            "edit": self._edit_record,
            "delete": lambda body: emulated_org.delete(body["sobject"], body["id"]),
            "undelete": lambda body: emulated_org.undelete(body["sobject"], body["id"]),
            "touch": lambda body: emulated_org.org.touch(body["sobject"], _record_id(body)),
            "clone": lambda body: {"id": emulated_org.clone(body["sobject"], body["id"], body.get("values"))},
            "field": lambda body: emulated_org.make_field(body["sobject"], body["xml"]),
            "bare": self._restart_bare,
            "currencies": self._restart_with_currencies,
            "currency": lambda body: emulated_org.set_currency_active(body["code"], active=bool(body["active"])),
            "metadata_rights": self._set_metadata_right,
            "translations": self._set_translation_languages,
            "view_setup": self._set_view_setup,
            "register": self._register_app,
            "browser_app": self._register_browser_app,
            "admit": self._admit_user,
            "token": self._open_session,
            "expire": self._expire_tokens_or_locators,
            "line_items": self._set_line_items,
            "validation_rule": self._add_rule,
            "flow": self._add_flow,
            "lock": self._add_lock,
            "subrequest_fault": self._fail_subrequests,
            "commit_lag": self._set_commit_lag,
            "short_pages": self._set_short_pages,
            "usage": self._set_usage,
            **switch_controls(emulated_org),
        }
        self._others: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "records"): self._read_records,
            ("GET", "notifications"): lambda _: emulated_org.org.notifications,
            ("GET", "validation_rule"): lambda _: self._list_rules(),
            ("DELETE", "validation_rule"): self._remove_rule,
            ("DELETE", "hooks"): lambda _: emulated_org.org.hooks.clear(),
        }

    def answer_request(self, request: Request) -> Response | None:
        """Answer one control request; None if the path is unknown. Raises the same errors as `Emulator.control`."""
        name = request.path.removeprefix(f"{CONTROL}/")
        try:
            if request.method == "POST" and name in self._posts:
                return Response.of(self._posts[name](request.json()) or {"ok": True})
            if (answer := self._others.get((request.method, name))) is not None:
                result = answer(request)
                return Response.of({"ok": True} if result is None else result)
        except ApiError as error:
            return Response.of(error.to_body(), error.status)
        return None

    # --- people

    def _insert_record(self, body: Body) -> Body:
        return {"id": self._emulated_org.insert(body["sobject"], body["values"], user=body.get("user"))}

    def _edit_record(self, body: Body) -> None:
        self._emulated_org.edit(body["sobject"], body["id"], body["values"], user=body.get("user"))

    def _read_records(self, request: Request) -> Any:  # noqa: ANN401 - JSON
        if "id" in request.query:
            return self._emulated_org.record(request.query["sobject"], request.query["id"])
        return self._emulated_org.records(request.query["sobject"])

    def _set_line_items(self, body: Body) -> None:
        self._emulated_org.set_line_items(_record_id(body), body.get("amount"), present=bool(body["has"]))

    # --- metadata

    def _set_metadata_right(self, body: Body) -> None:
        users = self._emulated_org.deployments.users
        (users.add if body["has"] else users.discard)(user_id(self._emulated_org, body["username"]))

    def _set_view_setup(self, body: Body) -> None:
        users = self._emulated_org.org.setup_viewers
        (users.add if body["has"] else users.discard)(user_id(self._emulated_org, body["username"]))

    def _restart_bare(self, body: Body) -> None:
        self._emulated_org.bare = bool(body["bare"])
        self._emulated_org.reset_state()

    def _restart_with_currencies(self, body: Body) -> None:
        self._emulated_org.multi_currency = bool(body["several"])
        self._emulated_org.reset_state()

    def _set_translation_languages(self, body: Body) -> None:
        self._emulated_org.deployments.languages = frozenset(map(str, body["languages"]))

    # --- sign-in

    def _register_app(self, body: Body) -> Body:
        return {"user": self._emulated_org.register_connected_app(body["consumer_key"], body["pem"], body["username"])}

    def _register_browser_app(self, body: Body) -> None:
        callbacks, usernames = (msgspec.convert(body[name], tuple[str, ...]) for name in ("callbacks", "usernames"))
        self._emulated_org.register_browser_app(str(body["consumer_key"]), callbacks, usernames)

    def _admit_user(self, body: Body) -> None:
        self._emulated_org.admit_user(body["consumer_key"], body["username"])

    def _open_session(self, body: Body) -> Body:
        user = (
            user_id(self._emulated_org, body["username"])
            if "username" in body
            else self._emulated_org.founding.administrator
        )
        return {
            "access_token": self._emulated_org.oauth.issue_session_id(user),
            "instance_url": self._emulated_org.public_url,
        }

    def _expire_tokens_or_locators(self, body: Body) -> None:
        actions = {
            "tokens": self._emulated_org.oauth.sessions.clear,
            "locators": self._emulated_org.rest.pages.expire_locators,
        }
        actions[body["what"]]()

    # --- rules, locks and limits

    def _add_rule(self, body: Body) -> None:
        rule = convert_strictly(ValidationRule, body)
        definition = self._emulated_org.org.model.get(rule.sobject)
        if definition.find_field(rule.field) is None:
            raise ValueError(f"{rule.sobject} has no field {rule.field}")
        self._emulated_org.org.hooks.rules.append(rule)

    def _list_rules(self) -> list[Body]:
        rules = self._emulated_org.org.hooks.all_rules
        return [{"sobject": rule.sobject, "field": rule.field, "message": rule.message} for rule in rules]

    def _remove_rule(self, request: Request) -> None:
        self._emulated_org.org.hooks.remove_rules(str(request.json()["message"]))

    def _add_lock(self, body: Body) -> None:
        code = body.get("code", "UNABLE_TO_LOCK_ROW")
        if code not in LOCKS:
            raise ValueError(f"code must be one of {sorted(LOCKS)}")
        times = msgspec.convert(body.get("times"), int | None)
        self._emulated_org.org.hooks.locks[_record_id(body)] = Lock(code, times)

    def _fail_subrequests(self, body: Body) -> None:
        self._emulated_org.org.hooks.subrequests.append(convert_strictly(SubrequestFault, body))

    def _add_flow(self, body: Body) -> None:
        flow = convert_strictly(Flow, body)
        definition = self._emulated_org.org.model.get(flow.sobject)
        unknown = [name for name in (*flow.values, *flow.when) if definition.find_field(name) is None]
        if unknown:
            raise ValueError(f"{flow.sobject} has no field {unknown[0]}")
        self._emulated_org.org.hooks.flows.append(flow)

    def _set_commit_lag(self, body: Body) -> None:
        self._emulated_org.lag = timedelta(seconds=float(body["seconds"]))

    def _set_short_pages(self, body: Body) -> None:
        pages = self._emulated_org.rest.pages
        pages.short_pages, pages.short_lists = int(body["rows"]) or None, int(body.get("lists", 0)) or None

    def _set_usage(self, body: Body) -> Body:
        rest = self._emulated_org.rest
        used, allowed = int(body.get("used", rest.used)), int(body.get("max", rest.max_requests))
        rest.used, rest.max_requests = used, allowed
        return {"used": rest.used, "max": rest.max_requests}


def _record_id(body: Body) -> str:
    record_id = canonical_id(str(body["id"]))
    if record_id is None:
        raise ValueError("id is not a record id")
    return record_id
