"""Decides what to write for one pair of which both sides are known, and sends Partner Center its part."""

from copy import replace
from functools import partial

from shared.domain.deal import VISIBILITY, Change, Side, Status
from shared.domain.duplicates import is_referral_taken, without_referral
from shared.domain.forgetting import recognised
from shared.domain.known_versions import stand_in
from shared.domain.link import Link
from shared.domain.link_states import SUSPENDED, State
from shared.domain.plan import plan_pair
from shared.domain.plan_lead import OPEN_LEAD, accepted_lines, lead_after, plan_lead
from shared.domain.planned import Plan
from shared.domain.question import is_question
from shared.domain.records import Opportunity, Referral
from shared.domain.recovery import recovered
from shared.domain.refused_members import has_refused_members
from shared.domain.resting_links import paused, resumed, seen_closed
from shared.domain.set_back import Seen
from shared.domain.transitions import Transition
from shared.foundation.errors import Conflict, Rejected
from shared.sync.find_our_write import seen_opportunity, seen_referral
from shared.sync.learned_paths import blamed_paths, learn_from_refusal, learn_from_success, rules_to_keep, takes_same
from shared.sync.mass_change import stop_mass_changes
from shared.sync.pair_lease import Pair
from shared.sync.ports import RECONCILED, Context, Outcome, Result
from shared.sync.send_members import adds_members, send_members
from shared.sync.write_referral import park_changes, patch_referral


def make_plan(ctx: Context, pair: Pair) -> None:
    """Plan a pair of which both sides are known; recover interrupted work first.

    The opportunity of a lead is not ticked, and is planned all the same. An un-ticked or a closed deal has no plan.
    """
    if pair.opportunity is None or (pair.referral is None and pair.link.state is not State.CLOSED):
        return
    rules, now = ctx.translation.rules, ctx.clock.now()
    if pair.interrupted.effects:
        seen = _seen_sides(ctx, pair, pair.opportunity, pair.read_referral)
        current = {side: one.deal for side, one in seen.items()}
        status = pair.referral.status if pair.referral else None
        pair.take_recovery(recovered(pair.link, pair.interrupted, current, rules, now, status, seen))
    if _comes_to_rest(ctx, pair, pair.opportunity) or pair.referral is None:
        return
    if pair.link.erased:
        pair.take_link(recognised(pair.link, pair.opportunity.deal, pair.referral.deal))
    stored = pair.entry.value  # what another plan of this run put on record, and nobody stored, was not told
    link = replace(pair.link, refused=stored.refused, waiting=stored.waiting, reported=stored.reported)
    link = replace(link, answer_by=stored.answer_by)
    pair.take_link(link)
    if pair.link.lead and _plan_as_lead(ctx, pair, link):
        return
    decide = partial(plan_pair, link, pair.opportunity, pair.referral)
    plan = decide(rules, now, ctx.policy)
    if plan.has_answer and not pair.must_create and is_question(link, pair.opportunity, ctx.salesforce.user_id()):
        decide = partial(decide, is_question=True)  # first: a stage that nobody chose opens no path to try
        plan = decide(rules, now, ctx.policy)
    if plan.tries and (kept := rules_to_keep(ctx, link, plan)):
        plan = decide(kept, now, ctx.policy)
    is_sent = bool(plan.to_partner_center or plan.help)
    if (pair.referral.raw is None and plan.replaces_list) or (pair.referral.is_listed and is_sent):
        # A list is rebuilt from all that Partner Center holds, and nothing is sent because of the row of a page.
        pair.take_referral(ctx.translation.referral(ctx.partner_center.get(pair.referral.id)))
        make_plan(ctx, pair)
        return
    _take_plan(ctx, pair, plan)


def _take_plan(ctx: Context, pair: Pair, plan: Plan) -> None:
    """Take a plan. Once the changes of the run are counted, what is new in a later plan is counted too."""
    pair.take_plan(plan)
    if plan.counted and pair.granted is not None:
        stop_mass_changes(ctx, [pair])


def _comes_to_rest(ctx: Context, pair: Pair, opportunity: Opportunity) -> bool:
    """Let an un-ticked deal pause, and compare a closed one with what was agreed; whether the pair needs no plan."""
    if pair.link.state in SUSPENDED:
        end_rest(ctx, pair, opportunity)
    if not (opportunity.flagged or pair.link.lead):
        pair.drop_plan()
        leave_sync(ctx, pair)
        if not pair.link.unwritten:  # else it shows once more what it has not shown, such as a new referral
            pair.end(RECONCILED)
        return True
    if pair.link.state is not State.CLOSED:
        return False
    pair.drop_plan()
    rules, now = ctx.translation.rules, ctx.clock.now()
    pair.take_recovery(seen_closed(pair.link, opportunity, pair.read_referral, rules, ctx.policy, now))
    return True


def _seen_sides(ctx: Context, pair: Pair, opportunity: Opportunity, referral: Referral | None) -> dict[Side, Seen]:
    """The sides that were read after an interruption, with their versions, which tell our write from a person's."""
    ours = Seen(opportunity.deal, opportunity.modified.isoformat())
    seen = {Side.SALESFORCE: seen_opportunity(ctx, pair, ours)}
    return seen | ({Side.PARTNER_CENTER: seen_referral(pair, referral)} if referral else {})


def _plan_as_lead(ctx: Context, pair: Pair, link: Link) -> bool:
    """Plan a pair whose referral is a lead, and return whether it is; an accepted one is a deal from now on."""
    if pair.opportunity is None or pair.referral is None:
        return False
    now, after = ctx.clock.now(), lead_after(pair.link, pair.opportunity, pair.referral)
    if after == OPEN_LEAD:
        plan = plan_lead(link, pair.opportunity, pair.referral, ctx.translation.rules, now, ctx.policy)
        _take_plan(ctx, pair, plan)
        return True
    if after != pair.link.lead:
        lines = accepted_lines(now) if pair.link.lead == OPEN_LEAD else ()
        pair.take_recovery(Transition(replace(pair.link, lead=after), lines))
    return False


def leave_sync(ctx: Context, pair: Pair) -> None:
    """Let an un-ticked deal pause: it waits for nothing, and looks for no request for help."""
    if pair.link.waiting or pair.link.help is not None or pair.link.referral_id is not None:
        pair.leave_sync(paused(pair.link, ctx.clock.now()))


def end_rest(ctx: Context, pair: Pair, opportunity: Opportunity) -> None:
    """Let a pair go on whose opportunity is there again, or is ticked again.

    Another opportunity may have taken the place of one that was gone: that one keeps the referral.
    """
    if pair.link.state is State.GONE:
        pair.take_link(without_referral(pair.link) if _is_given_away(ctx, pair.link) else resumed(pair.link))
    if pair.link.state is State.PAUSED and (opportunity.flagged or pair.link.lead):
        pair.take_link(resumed(pair.link))


def _is_given_away(ctx: Context, link: Link) -> bool:
    """Whether the referral of a link is another opportunity's now."""
    pointer = ctx.store.pointer(link.referral_id or "")
    other = pointer.value.opportunity_id if pointer else None
    known = ctx.store.link(other) if other and other != link.opportunity_id else None
    return known is not None and is_referral_taken(known.value, link.referral_id or "")


def must_send(pair: Pair) -> bool:
    """Whether the work that was planned calls Partner Center; what was read for the others is not read again."""
    return pair.must_create or (pair.plan is not None and bool(pair.plan.to_partner_center or pair.plan.help))


def end_of(pair: Pair) -> Outcome:
    """How the work on a pair ended; a push goes on where no more than a write to Salesforce may have failed."""
    outcome, intent = pair.outcome or RECONCILED, pair.link.intent
    is_pushed = intent is not None and pair.may_have_written and not pair.interrupted.effects
    return replace(outcome, pushed=pair.id) if is_pushed and intent and stand_in(pair.link, intent) else outcome


def plan_and_send(ctx: Context, pair: Pair) -> None:
    """Merge again, and send what a person has changed meanwhile."""
    make_plan(ctx, pair)
    send_changes(ctx, pair)


def send_changes(ctx: Context, pair: Pair) -> None:
    """Send the plan's changes to Partner Center, and put the plan into the link.

    On 412 the referral is read and merged again, which recognises our own lost reply by its values. After a 400,
    several paths are sent singly, once, in an order in which none locks another; a path that is refused alone may turn
    out to be fixed, and a list is sent member by member. A close may follow an accept. Raises the client's errors; the
    intent stays.
    """
    for _ in range(ctx.policy.tries):
        _heed_refusals(ctx, pair)
        pair.put_plan_into_link(ctx.translation.rules)
        if pair.plan is None or pair.referral is None or not pair.plan.to_partner_center:
            break
        waiting, has_learned = [pair.plan.to_partner_center], False
        try:
            while waiting:
                changes = waiting.pop(0)
                refusal = patch_referral(ctx, pair, pair.referral, changes)
                if refusal and len(changes) > 1:
                    waiting = [(change,) for change in sorted(changes, key=_locks_others)]
                elif refusal:
                    blamed = blamed_paths(ctx, changes[0], refusal)
                    is_value = takes_same(ctx, pair, changes[0], blamed)
                    has_learned |= _take_refusal(ctx, pair, changes, refusal, set() if is_value else blamed)
                    waiting = [] if _is_answer(pair, changes) else waiting  # nothing else may go without the answer
                elif pair.plan.tries or pair.link.refused:
                    has_learned |= _take_success(ctx, pair, changes)
        except Conflict:
            pair.take_referral(ctx.translation.referral(ctx.partner_center.get(pair.referral.id)))
        else:
            if not has_learned and (not pair.plan.continues or pair.referral.is_unanswered):
                break
        make_plan(ctx, pair)
    else:
        pair.put_plan_into_link(ctx.translation.rules)
        pair.end(Outcome(Result.RETRY, "referral_kept_changing"))


def _locks_others(change: Change) -> tuple[bool, bool]:
    """Sort key: what Partner Center takes nothing after, a close, is the last, and sharing, which locks contacts."""
    return isinstance(change.new, Status) and change.new.is_final, change.field == VISIBILITY


def _heed_refusals(ctx: Context, pair: Pair) -> None:
    """Plan again if a path of the plan was refused meanwhile, such as for another pair of this run."""
    if pair.plan and pair.plan.tries and rules_to_keep(ctx, pair.link, pair.plan):
        make_plan(ctx, pair)


def _take_success(ctx: Context, pair: Pair, changes: tuple[Change, ...]) -> bool:
    """Learn from changes that were taken; whether members of a list are no longer refused."""
    if pair.plan and pair.plan.tries and pair.referral:
        learn_from_success(ctx, changes, pair.referral.deal)
    return has_refused_members(pair.link, changes)


def _is_answer(pair: Pair, changes: tuple[Change, ...]) -> bool:
    """Whether these changes answer a deal that Microsoft sent, and it is not answered yet."""
    return isinstance(changes[0].new, Status) and pair.referral is not None and pair.referral.is_unanswered


def _take_refusal(ctx: Context, pair: Pair, changes: tuple[Change, ...], refusal: Rejected, fixed: set[str]) -> bool:
    """Remember what turned out to be fixed, or the members that are refused, or else park the pair.

    Returns whether the pair must be planned again.
    """
    if fixed:
        learn_from_refusal(ctx, fixed, refusal)
        return True
    if isinstance(changes[0].new, tuple) and adds_members(changes[0], refusal):
        send_members(ctx, pair, changes[0], refusal)
        return True
    park_changes(ctx, pair, changes, refusal.cause)
    return _is_answer(pair, changes)
