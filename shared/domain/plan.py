"""Decides what to write for one pair, and why, from what was read under the lease. Pure.

opportunity   referral   link        plan
flagged       none       none        create the referral, or hold the pair with the causes
flagged       known      live        merge, and write what differs on each side, as direction and latches allow
flagged       known      on hold     pull; edits in Salesforce stay on record until the deal is answered
not flagged   any        any         nothing

Source: docs/protocol.md#merge, docs/protocol.md#when-a-write-is-not-allowed, docs/protocol.md#states-of-a-link.
"""

from copy import replace
from datetime import datetime, timedelta

from shared.domain import answering
from shared.domain.answer_clock import answer_time
from shared.domain.audit import IRREVERSIBLE
from shared.domain.chosen_defaults import Defaults, standing_defaults
from shared.domain.creation_values import compare_creation_values, readable_lists, unreadable_lists
from shared.domain.deal import TEAM, VISIBILITY, VISIBLE, Change, Deal, Side, Status, display_text, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.forbidden_writes import ReferralState, forbidden_write
from shared.domain.foreign_money import keep_out
from shared.domain.help_request import HELP, HelpStep, sharing_mark
from shared.domain.hidden_columns import hidden_column_lines, hidden_column_records
from shared.domain.latches import FIXED_THERE
from shared.domain.link import Difference, Link
from shared.domain.link_states import State
from shared.domain.member_sets import needs_replacement
from shared.domain.merge import EditTimes, Merged, merge
from shared.domain.permission import withdrawn_consent_lines
from shared.domain.plan_help import decide_help, shares_by_help, unsent_notes_lines
from shared.domain.plan_notes import PlanNotes
from shared.domain.planned import Plan, next_tries, with_counted
from shared.domain.policy import Policy
from shared.domain.question import answer_key, question_key, question_record, stage_cause
from shared.domain.records import Opportunity, Referral
from shared.domain.refused_members import refused_members
from shared.domain.row_records import without_untaken
from shared.domain.shown_lists import shown_after
from shared.domain.visibility import base_of_visibility, sharing_line, wait_to_share, with_help_visible


def plan_pair(
    link: Link,
    opportunity: Opportunity,
    referral: Referral,
    rules: Rules,
    now: datetime,
    policy: Policy,
    *,
    is_question: bool = False,
) -> Plan:
    """Merge one pair and decide the writes.

    A change that cannot be undone is sent only once it has stood, and a win that may be registered at its time
    (docs/protocol.md#what-cannot-be-undone-waits). With `is_question`, the opportunity's stage is nobody's answer: it
    is not sent, and it yields to an edit of the status in Partner Center.
    """
    edited, agreed = EditTimes(opportunity.modified, referral.updated), link.base_under(rules)
    base = agreed
    if is_question and base.get("status") != referral.deal.get("status"):
        base = base.with_values({"status": opportunity.deal.get("status")})
    base = answering.with_lost_as_declined(base, opportunity, referral, rules.answers)
    deal, is_asked = opportunity.deal, link.help is not None and link.help.is_asked
    asks = bool(opportunity.sharing.help) and shares_by_help(opportunity, referral, rules, policy)
    base = base_of_visibility(base, referral.deal, asks=asks and not is_asked)
    if asks:
        deal = with_help_visible(deal, referral.deal)
    if opportunity.problems or opportunity.partial:
        typed = readable_lists(opportunity, referral.deal)
        deal = deal.without(*(name for name in deal if name not in typed))
    standing, untaken, unsendable = Defaults(base, deal), dict[str, Difference](), opportunity.unsendable
    if link.refused:
        standing = standing_defaults(link, base, deal, referral.deal)
        referral, untaken = without_untaken(link, deal, referral, rules, edited, now)
        unsendable, refused = refused_members(link, opportunity, referral, rules)
        untaken |= refused
    builder = _PlanBuilder(link, standing, opportunity, referral, rules, now)
    builder.delays, builder.policy, builder.is_question = answering.delays_of(referral, policy), policy, is_question
    builder.asks = asks
    builder.refused |= untaken
    builder.keep_status(agreed)
    lists = unsendable, opportunity.rows
    merged = merge(standing.base, standing.opportunity, referral.deal, rules, edited, *lists)
    for one in sorted(merged, key=_status_first):
        builder.decide_field(one)
    if opportunity.sharing.help or link.help is not None:
        builder.decide_help(referral, rules)
    elif opportunity.sharing.notes:
        builder.report_once(unsent_notes_lines(now))
    builder.compare_values_of_creation(opportunity, referral, rules)
    builder.warn_of_unreadable_values(opportunity, rules)
    builder.leave_unreadable_values_alone(opportunity.deal, referral, rules)
    builder.warn_of_past_close_date(opportunity.deal)
    builder.warn_of_cut_texts(opportunity, referral, rules)
    if link.consented:
        builder.report_once(withdrawn_consent_lines(opportunity.sharing, referral.status, policy, now))
    builder.watch_answer_time(referral)
    if rules.hidden_columns:
        builder.report_once(hidden_column_lines(rules, now))
        builder.refused |= hidden_column_records(link.refused, rules, now)
    return with_counted(builder.plan())


def _status_first(merged: Merged) -> bool:
    """Sort key: the status first, because an accept opens the other fields (docs/protocol.md#states-of-a-link)."""
    return not isinstance(merged.value, Status)


class _PlanBuilder(PlanNotes):
    """Collects the decisions for one pair, field by field."""

    def __init__(
        self, link: Link, standing: Defaults, opportunity: Opportunity, referral: Referral, rules: Rules, now: datetime
    ) -> None:
        super().__init__(link, now)
        self.status, self.delays, self.policy = referral.status, answering.Delays(timedelta()), Policy()
        self.standing, self.opportunity, self.answers = standing, opportunity, rules.answers
        self.changed = max(opportunity.modified, referral.updated)
        self.base = dict(standing.base)
        self.refused: dict[str, Difference] = dict(standing.records)
        self.is_question = self.has_answer = self.closes = self.continues = self.asks = self.replaces_list = False
        self.is_shared = referral.is_shared or referral.deal.get(VISIBILITY) == VISIBLE
        self.is_sharing_known = referral.raw is not None or VISIBILITY in referral.deal
        self.keep_what_was_read(referral, rules)
        self.help: HelpStep | None = None
        self.tries: frozenset[str] = frozenset()

    def decide_field(self, merged: Merged) -> None:
        """Decide what to write for one field."""
        if merged.rule.field == TEAM and self.leaves_team_alone(merged, self.status):
            return
        if merged.left or (merged.whole is not None and self.link.refused):
            self.note_left_members(merged)
        if merged.rule.shows is not None:
            merged = shown_after(merged, self.writes[Side.PARTNER_CENTER])
        if not (merged.differs_on(Side.SALESFORCE) or merged.differs_on(Side.PARTNER_CENTER)):
            if isinstance(merged.value, Status):
                self.note_end(merged, merged.value)
            self.base[merged.rule.field] = self.agreed_value(merged)
            return
        if merged.rule.currencies is not None and self._keeps_out(merged):
            return
        if isinstance(merged.value, Status) and merged.rule.field in self.base:
            self._note_answer(merged)
        if merged.rule.field in self.policy.unapproved and merged.differs_on(Side.PARTNER_CENTER):
            self.wait_for_mapping(merged)
            return
        allowed = [self._write(merged, side) for side in Side if merged.differs_on(side)]
        if any(allowed):
            self.report_losses(self._with_end(merged) if merged.conflict else merged)

    def _with_end(self, merged: Merged) -> Merged:
        """The merged status as Partner Center has it: a stage may say less of the end of a deal than that."""
        is_end = self.status is not None and self.status.is_final and merged.value == merged.partner_center
        return replace(merged, value=self.status) if is_end and isinstance(merged.value, Status) else merged

    def _keeps_out(self, merged: Merged) -> bool:
        """Whether Salesforce cannot hold Partner Center's amount: then nothing is sent to Partner Center."""
        name = merged.rule.field
        kept = keep_out(self.link, self.base.get(name), merged, self.now)
        if kept is None:
            return False
        self.refused |= kept.refused
        self.base[name] = kept.base
        self.lines += kept.lines
        self.writes[Side.SALESFORCE] += kept.changes
        return True

    def _write(self, merged: Merged, side: Side) -> bool:
        key, rule = f"{side}.{merged.rule.field}", merged.rule
        state = ReferralState(self.status, self.is_shared)
        forbidden = forbidden_write(self.link, merged, side, state, self.policy, self.changed, self.now)
        code = forbidden.code
        if forbidden.kept is not None:
            self.refused[key] = forbidden.kept  # it stays on record until it is written
        if self.is_question and self.has_answer and isinstance(merged.value, Status):
            self._ask(key, merged)
            return False
        if code:
            self.record_refusal(side, code, merged)
            if code == FIXED_THERE.code:
                self.base[rule.field] = merged.partner_center  # what differs is an edit on top of it
            return False
        if rule.field == VISIBILITY and side is Side.PARTNER_CENTER and self._postpone_sharing(merged):
            return False
        change: Change | None = merged.change_on(side)
        if isinstance(merged.value, Status):
            shown = Change(rule.field, rule.label, merged.salesforce, merged.value, self._with_end(merged).value)
            change = self._answer(merged, merged.value) if side is Side.PARTNER_CENTER else shown
            self._note_status(merged, change, side)
        if rule.is_locked_by_sharing and side is Side.PARTNER_CENTER:
            self.replaces_list |= not self.is_sharing_known
        if rule.unlisted and side is Side.PARTNER_CENTER and change:
            self.tries |= rule.unlisted
            self.keep_while_tried(key, merged.value)
            self.replaces_list |= rule.is_in_list
        self.writes[side] += [change] if change else ()
        return change is not None

    def _answer(self, merged: Merged, wanted: Status) -> Change | None:
        """The change that answers or closes the deal now; None while it waits for its reason or its time."""
        answer, rule = answering.answer_for(self.status, wanted, self.opportunity, self.answers), merged.rule
        if answer.cause:
            key = f"{Side.PARTNER_CENTER}.{rule.field}"
            self.refused[key] = answering.asked_record(self.link.refused.get(key), wanted, answer.cause, self.now)
            self.report_cause(answer.cause.key, rule.field, answer.cause)
            return None
        if wanted.is_final and self._postpone_close(merged, answer):
            return None
        self.continues = answer.is_step
        return Change(rule.field, rule.label, merged.partner_center, answer.new, answer.sent, answer.is_step)

    def _postpone_close(self, merged: Merged, answer: answering.Answer) -> bool:
        """Let a close that has not stood long enough wait, because it cannot be undone, and tell it; whether it waits.

        It stays on record until it is sent, also while an accept goes before it.
        """
        name, side = merged.rule.field, Side.PARTNER_CENTER
        wait = answering.wait_for(self.link, name, answer, self.now, self.delays)
        if wait.is_over and not answer.is_step:
            return False
        self.waiting[name] = wait.record
        self.ends.append(wait.until)
        if not wait.is_over and wait.is_new:
            code = "win_held" if wait.is_held else "waiting"
            line = self.note(code, merged, side, IRREVERSIBLE, until=wait.shown_until)
            self.lines.append(replace(line, after=display_text(answer.told)))
        return not wait.is_over

    def _postpone_sharing(self, merged: Merged) -> bool:
        """Let a wish to share the deal that has not stood long enough wait, and tell it once; whether it waits.

        With a request for help, its wait is the deal's: another help or other notes begin it anew. A field that nobody
        ticked, because help ticks it, is ticked when the deal is shared.
        """
        known, name = self.link.waiting.get(VISIBILITY), merged.rule.field
        wanted = sharing_mark(self.opportunity.sharing) if self.asks else fingerprint(merged.value)
        wait = wait_to_share(known, wanted, self.now, self.delays.stands)
        if wait is not None:
            self.waiting[name] = wait.record
            self.ends.append(wait.until)
            line = self.note("waiting", merged, Side.PARTNER_CENTER, IRREVERSIBLE, until=f"{wait.until:%H:%M}")
            self.lines += [line] if wait.is_new and not self.asks else []  # the wait to ask says it too
        elif self.opportunity.deal.get(name) != merged.value:
            ticked = Change(name, merged.rule.label, self.opportunity.deal.get(name), merged.value)
            self.writes[Side.SALESFORCE].append(ticked)
        return wait is not None

    def decide_help(self, referral: Referral, rules: Rules) -> None:
        """Decide about the request for help. It is sent only with a deal that Microsoft sees."""
        known, sender = (self.link, self.opportunity, self.status), referral.is_from_microsoft
        decided = decide_help(*known, rules, self.now, self.policy, is_from_microsoft=sender)
        self.refused |= decided.refused
        self.lines += decided.told
        for name, found in decided.causes.items():
            self.report_cause(found.key, name, found)
        if decided.wait is not None:
            self.waiting[HELP] = decided.wait.record
            self.lines += [sharing_line(self.opportunity.sharing, decided.wait.until, self.now)][: decided.wait.is_new]
        is_shared = any(change.field == VISIBILITY for change in self.writes[Side.PARTNER_CENTER])
        if decided.step is HelpStep.ASK and not (is_shared or referral.deal.get(VISIBILITY) == VISIBLE):
            return
        self.help = decided.step
        self.ends += [decided.due] if decided.due else []

    def _note_answer(self, merged: Merged) -> None:
        """Note that the stage is an edit in Salesforce, also where it loses; unless it is a question, a person's."""
        self.has_answer = merged.edited is Side.SALESFORCE or merged.conflict
        if self.has_answer and not self.is_question:
            self.reported.append(answer_key(merged.salesforce))
        elif self.is_question and not self.has_answer:  # Partner Center's status is to replace it, and may have to wait
            self.reported.append(question_key(self.opportunity.stage))

    def _ask(self, key: str, merged: Merged) -> None:
        """Leave a stage that nobody has chosen as it is on both sides, and ask once."""
        known = self.link.refused.get(key)
        self.refused[key] = question_record(known, merged.value, self.now)
        found, is_new = stage_cause(self.opportunity, self.status), self.refused[key] is not known
        self.report_cause(question_key(self.opportunity.stage), merged.rule.field, found, is_new=is_new)

    def _note_status(self, merged: Merged, change: Change | None, side: Side) -> None:
        """Let an answer open the other fields, and name the end of a deal where the stage says less."""
        if change is None or not isinstance(change.new, Status):
            return
        if side is Side.PARTNER_CENTER and not change.new.is_final:
            self.status = change.new
        elif side is Side.PARTNER_CENTER:
            self.closes = True
        elif self.status and self.status.is_final and self.status != change.new:
            self.losses.append(self.closed_as(merged, self.status))

    def compare_values_of_creation(self, opportunity: Opportunity, referral: Referral, rules: Rules) -> None:
        """Put each later difference of a value that travels only at creation on record."""
        created = compare_creation_values(self.link, opportunity, referral, rules, self.now)
        typed = unreadable_lists(self.link, opportunity, referral.deal, rules, self.now)
        for compared in (*created, *typed) if opportunity.problems else created:
            self.lines += compared.lines
            self.base.update(compared.agreed)
            self.refused.update(compared.kept)
            if compared.difference is not None:
                self.record_refusal(compared.side, compared.code, compared.difference)

    def leave_unreadable_values_alone(self, opportunity: Deal, referral: Referral, rules: Rules) -> None:
        """Put a value of Partner Center that cannot be read on record, and a seller's edit that is not sent over it."""
        for rule in rules.updatable if referral.problems else ():
            if problem := referral.problems.get(rule.field):
                self.record_unreadable(rule, problem)
                if isinstance(opportunity.get(rule.field), Status):
                    self.base.setdefault(rule.field, opportunity[rule.field])  # a stage that we may have set
                ours, base = opportunity.get(rule.field), self.base.get(rule.field)
                if rule.field in opportunity and ours != base and not self.standing.holds(rule.field):
                    edit = Merged(rule, ours, ours, None, Side.SALESFORCE)
                    self.record_refusal(Side.PARTNER_CENTER, "unreadable_there", edit)

    def watch_answer_time(self, referral: Referral) -> None:
        """Warn before the end of a deal that nobody answers. A close that waits for its time is an answer."""
        self.answer_by = known = answer_time(referral, self.link.answer_by)
        if known is not None and self.status is not None and self.status.is_unanswered and not self.closes:
            self.answer_by = self.warn_of_end(known, is_answered="status" in self.waiting)

    def plan(self) -> Plan:
        """The plan that holds the decisions."""
        unanswered = self.status is not None and self.status.is_unanswered and not self.closes
        if self.closes and self.unsent:
            self.losses.append(answering.unsent_line(self.now, self.unsent))
        return Plan(
            Deal(self.base),
            tuple(self.writes[Side.PARTNER_CENTER]),
            tuple(self.writes[Side.SALESFORCE]),
            self.refused,
            self.waiting,
            tuple(self.lines),
            tuple(self.losses),
            tuple(self.reported),
            State.ON_HOLD if unanswered else State.LIVE,
            min(
                (*self.ends, *next_tries(self.link, self.refused, self.writes[Side.SALESFORCE], self.now)), default=None
            ),
            next(iter(self.causes.values()), None),
            self.has_answer,
            self.continues,
            self.help,
            self.answer_by,
            self.tries,
            self.replaces_list or any(needs_replacement(one.new, one.old) for one in self.writes[Side.PARTNER_CENTER]),
        )
