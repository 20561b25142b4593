"""Learns for the tenant which paths of a referral Partner Center takes changes of, for every instance.

No list of Microsoft's names these paths, so each is tried once. After a refusal of it alone, and of what it holds
already, a seller's edit is told and not sent, until another release of the app tries again. The state of the side,
which each run reads, holds it.

Source: docs/protocol.md#fixed-paths.
"""

from collections.abc import Sequence
from copy import replace

from shared.domain.deal import Change, Deal, Side
from shared.domain.field_rules import Rules
from shared.domain.link import Link
from shared.domain.planned import Plan
from shared.foundation.errors import Rejected
from shared.mapping.patch_paths import PATCHABLE
from shared.sync.pair_lease import Pair
from shared.sync.ports import Context, KnownPath

OF_A_PATH = frozenset((400, 405, 422))
"""The statuses that may refuse a path (docs/reference/partner-center.md#referral-errors)."""


def rules_to_keep(ctx: Context, link: Link, plan: Plan) -> Rules | None:
    """The rules under which the pair must be planned again, because the plan tries a path that is known to be fixed."""
    fixed = plan.tries & ctx.store.side_state(Side.PARTNER_CENTER).fixed_paths(ctx.policy.release)
    rules = ctx.translation.rules
    return rules.with_fixed(fixed, link.base_under(rules)) if fixed else None


def blamed_paths(ctx: Context, change: Change, refusal: Rejected) -> set[str]:
    """The paths that may be fixed, because Partner Center refused them in this one change.

    A path that it has taken before is not fixed: then it refuses the value. Nor is one that stands beside listed paths,
    unless the refusal names it. A refusal that names another part of the referral says nothing of the path.
    """
    tried = ctx.translation.rules[change.field].unlisted
    if not tried or refusal.status not in OF_A_PATH:
        return set()
    blamed = _blamed(ctx, _paths_in(ctx, change), refusal.cause.field or "")
    return blamed if blamed <= tried and blamed.isdisjoint(_taken(ctx)) else set()


def takes_same(ctx: Context, pair: Pair, change: Change, blamed: set[str]) -> bool:
    """Whether Partner Center takes a change of these paths to what they hold already: then it refused the value.

    So it did where no path is blamed. Raises the client's errors. A path that is known to be fixed is not tried.
    """
    if not blamed:
        return True
    referral, same = pair.referral, replace(change, new=change.old, old=change.new, sent=None)
    operations = ctx.translation.operations((same,), referral.raw) if referral else []
    if referral is None or not operations or any(each.get("value") in (None, "", []) for each in operations):
        return False
    if blamed <= ctx.store.side_state(Side.PARTNER_CENTER).fixed_paths(ctx.policy.release):
        return False
    try:
        answer = ctx.partner_center.patch(referral.id, operations, referral.etag)
    except Rejected:
        return False
    pair.take_referral(ctx.translation.written_referral(answer))
    _remember(ctx, {str(operation["path"]) for operation in operations}, is_taken=True)
    return True


def learn_from_refusal(ctx: Context, blamed: set[str], refusal: Rejected) -> None:
    """Remember that these paths are fixed."""
    if new := blamed - ctx.store.side_state(Side.PARTNER_CENTER).fixed_paths(ctx.policy.release):
        _remember(ctx, new, is_taken=False)
        ctx.log("path_refused", correlation_id=ctx.correlation_id, paths=sorted(new), code=refusal.cause.code)


def _blamed(ctx: Context, sent: set[str], target: str) -> set[str]:
    """The sent paths that a refusal may be about: the one that it names, none if it names another, or else all."""
    named = {path for path in sent if _is_named(path, target)}
    known = {*PATCHABLE, *(path for field in ctx.translation.fields.values() for path in field.patch_paths())}
    return named or (set() if any(_is_named(path, target) for path in known) else sent)


def _is_named(path: str, target: str) -> bool:
    """Whether a target names a path, or its last part, in any letter case and with dots or slashes."""
    whole, named = path.casefold().strip("/"), target.replace(".", "/").casefold().strip("/ ")
    return named in (whole, whole.rpartition("/")[2])


def learn_from_success(ctx: Context, changes: Sequence[Change], read_back: Deal) -> None:
    """Remember the paths of which Partner Center took a change for the first time."""
    rules = ctx.translation.rules
    took = [change for change in changes if rules[change.field].unlisted and read_back.get(change.field) == change.new]
    paths = {path for change in took for path in _paths_in(ctx, change) & rules[change.field].unlisted}
    if new := paths - _taken(ctx):
        _remember(ctx, new, is_taken=True)


def _paths_in(ctx: Context, change: Change) -> set[str]:
    return {str(operation["path"]) for operation in ctx.translation.operations((change,))}


def _taken(ctx: Context) -> set[str]:
    """The paths of which Partner Center has taken a change, in any release."""
    return {path for path, known in ctx.store.side_state(Side.PARTNER_CENTER).paths.items() if known.is_taken}


def _remember(ctx: Context, paths: set[str], *, is_taken: bool) -> None:
    state = ctx.store.side_state(Side.PARTNER_CENTER, fresh=True)
    learned = {path: KnownPath(ctx.policy.release, is_taken) for path in paths}
    ctx.store.write_side_state(Side.PARTNER_CENTER, state.with_paths(learned))
