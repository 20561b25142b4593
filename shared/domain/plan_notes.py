"""What the plan of one pair tells: its audit lines, and the causes and warnings that the link remembers. Pure."""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime

from shared.domain.answer_clock import AnswerTime, warning_line
from shared.domain.audit import Line, cause_line
from shared.domain.cause import Cause
from shared.domain.close_date import past_close_date_lines
from shared.domain.creation_values import CONTACTS_CUT, CONTACTS_LEFT_OUT, NO_IDS, PART_LEFT_OUT, SOLUTIONS_CUT
from shared.domain.deal import STATUS, TEAM, Change, Deal, Side, Status, Value, display_text, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.joined_texts import both_kept_line, is_joined, refusal_mark
from shared.domain.latches import CONTACTS_LOCKED, FIXED_THERE, NOT_ANSWERED
from shared.domain.left_members import (
    accepted_key,
    accepted_members,
    extra_members,
    left_key,
    left_records,
    locked_contacts,
    mark_of,
    told_members,
)
from shared.domain.link import REFUSED_BY_FAR_SIDE, Difference, Link
from shared.domain.mapping_change import MAPPING_CHANGE
from shared.domain.member_sets import REFUSED_MEMBER, STAYS, UNSEEN_MEMBER, agreed_members, lacks_details, members_of
from shared.domain.merge import Decision, Merged
from shared.domain.ping_pong import PING_PONG, report_key, standing_reports
from shared.domain.question import UNASKED
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection, cause, is_reported, system_name
from shared.domain.text_limits import cut_texts_of
from shared.domain.unreadable import unreadable_line, unreadable_record

COUNTED = (SOLUTIONS_CUT, CONTACTS_LEFT_OUT, CONTACTS_CUT)
"""Codes of records of an earlier build that count the members that do not travel, and were told."""
OVERRULED = "overruled"
"""The code of a value that lost, while its side refuses the other one: it is told as discarded, and stays."""
NO_REFUSALS = (UNASKED, OVERRULED)
"""Codes of records that say nothing of a refusal."""


class PlanNotes:
    """Collects what is told about one pair, each cause and warning once."""

    def __init__(self, link: Link, now: datetime) -> None:
        """Begin with nothing to tell."""
        self.link, self.now = link, now
        self.writes: dict[Side, list[Change]] = {Side.PARTNER_CENTER: [], Side.SALESFORCE: []}
        self.refused: dict[str, Difference] = {}
        self.waiting: dict[str, Difference] = {}
        self.lines: list[Line] = []
        self.losses: list[Line] = []
        self.reported: list[str] = standing_reports(link) if link.repeats else []
        self.causes: dict[str, Cause] = {}
        self.ends: list[datetime] = []
        self.unsent: list[str] = []
        self.status: Status | None = None
        self.base: dict[str, Value | None] = {}

    def keep_status(self, agreed: Deal) -> None:
        """Keep the agreed status in the base: one that only the merge puts there was held by one side."""
        self.base.pop(STATUS, None)
        self.base |= {STATUS: agreed[STATUS]} if STATUS in agreed else {}

    def report_cause(self, key: str, name: str, found: Cause, *, is_new: bool = False) -> None:
        """Mark the pair with a cause, and report it once under a key; one that `is_new` also under a known key.

        The key of a stage stays known while Partner Center's status replaces that stage, so a new question has it too.
        """
        self.causes[found.key] = found
        line = cause_line(self.now, Side.PARTNER_CENTER, name, found)
        self.report_once({key: line})
        self.lines += [line] if is_new and line not in self.lines else []

    def closed_as(self, merged: Merged, status: Status) -> Line:
        """The line that names how Partner Center closed the deal."""
        return self.note("closed_as", merged, None, None, status=status.substatus)

    def note_end(self, merged: Merged, value: Status) -> None:
        """Name the end of a deal that both sides have closed meanwhile, where the stage says less."""
        before = self.base.get(merged.rule.field)
        if isinstance(before, Status) and not before.is_final and self.status and self.status.is_final:
            self.lines += [self.closed_as(merged, self.status)] if self.status != value else []

    def wait_for_mapping(self, merged: Merged) -> None:
        """Let a value wait whose field is newly sent to Partner Center, and tell it once for each value.

        Nothing of the field is written to Salesforce either: two joined texts belong on both sides.
        """
        key = f"{Side.PARTNER_CENTER}.{merged.rule.field}"
        held = merged.salesforce if merged.whole is None else merged.whole[1]
        record, known = Difference(fingerprint(held), MAPPING_CHANGE, self.now), self.link.waiting.get(key)
        is_known = known is not None and (known.code, known.value) == (record.code, record.value)
        self.waiting[key] = known if known is not None and is_known else record
        line = self.note(MAPPING_CHANGE, merged, Side.PARTNER_CENTER, MAPPING_CHANGE)
        self.lines += [] if is_known else [line]

    def report_losses(self, merged: Merged) -> None:
        """Report every discarded value with the value that was kept."""
        edited, why = merged.edited, merged.decision
        if merged.rule.shows is not None:
            code = "rows_only_shown" if merged.rule.in_rows else "shown_only"
            is_edit = merged.salesforce is not None or merged.rule.in_rows
            is_discarded = is_edit and (merged.conflict or merged.is_put_back)
            change = merged.change_on(Side.SALESFORCE)  # also what stays beside the merged list
            whole = replace(merged, salesforce=change.old, value=change.new)
            self.losses += [self.note(code, whole, Side.SALESFORCE, why, whole=True)] if is_discarded else []
        elif merged.keeps_both:
            is_told = is_joined(merged.value) and merged.value in (merged.salesforce, merged.partner_center)
            line = both_kept_line(self.now, merged.rule.field, merged.rule.label)
            self.losses += [] if is_told else [line]  # one side got the text before: the other one had to wait
        elif merged.conflict and edited:
            self.losses.append(self._conflict(merged, edited))
        elif merged.is_put_back and edited:
            owner = system_name(edited.other)
            self.losses.append(self.note("put_back", merged, edited, why, whole=True, owner=owner))

    def _conflict(self, merged: Merged, winner: Side) -> Line:
        """The line about the value that lost a conflict. That a side was empty is nothing to enter again."""
        side, why = winner.other, merged.decision
        if merged.held_by(side) is None:
            return self.note("conflict_empty", merged, side, why, system=system_name(side))
        is_closed = why is Decision.FINAL_OVER_OPEN and winner is Side.PARTNER_CENTER
        return self.note("conflict_closed" if is_closed else "conflict", merged, side, why, whole=True)

    def note(
        self, code: str, merged: Merged, side: Side | None, rule: str | None, *, whole: bool = False, **values: str
    ) -> Line:
        """A line about the value that `side` holds and the merged one, or about neither where no side is named."""
        before = display_text(merged.held_by(side), whole=whole) if side else None
        after = display_text(merged.value) if side else None
        named = {"label": merged.rule.label, **values}
        return Line(self.now, code, LineDirection.NOTE, side, merged.rule.field, before, after, rule, named)

    def warn_of_unreadable_values(self, opportunity: Opportunity, rules: Rules) -> None:
        """Report values of Salesforce that cannot be read and are left alone, once per cause."""
        problems = opportunity.problems
        if opportunity.unseen:
            self._note_unseen_members(opportunity.unseen, rules)
        for name in (rule.field for rule in rules.updatable if rule.field in problems):
            found = problems[name]
            if found.key in self.causes or found.code in NO_IDS:
                continue
            self.causes[found.key] = found
            self.reported.append(found.key)
            if not is_reported(found, self.link.reported):
                self.lines.append(cause_line(self.now, Side.PARTNER_CENTER, name, found, LineDirection.NOTE))

    def _note_unseen_members(self, names: Sequence[str], rules: Rules) -> None:
        """Put each list on record that rests, because not all its people can be seen, and tell it once."""
        is_waiting = self.status is not None and self.status.is_unanswered
        for rule in (rule for rule in rules.updatable if rule.field in names):
            if rule.field == TEAM and is_waiting:
                continue  # our team goes with the accept
            key, values = f"{Side.SALESFORCE}.{rule.field}:unseen", {"label": rule.label}
            known = self.link.refused.get(key)
            is_known = known is not None and known.code == UNSEEN_MEMBER
            side, record = Side.SALESFORCE, Difference(fingerprint(rule.field), UNSEEN_MEMBER, self.now)
            self.refused[key] = known if known is not None and is_known else record
            line = Line(
                self.now, UNSEEN_MEMBER, LineDirection.NOTE, side, rule.field, rule=UNSEEN_MEMBER, values=values
            )
            self.lines += [] if is_known else [line]

    def warn_of_past_close_date(self, deal: Deal) -> None:
        """Ask the seller, once per date, to move a close date in the past while the deal is open; the date is sent."""
        deal = deal.with_values({change.field: change.new for change in self.writes[Side.SALESFORCE]})
        self.report_once(past_close_date_lines(deal, self.now))

    def warn_of_cut_texts(self, opportunity: Opportunity, referral: Referral, rules: Rules) -> None:
        """Report once that one side holds only the beginning of a text, and each edit that replaces all of it."""
        may_be_cut = referral.cut or opportunity.cut or self.link.refused
        for one in cut_texts_of(self.link, opportunity, referral, rules) if may_be_cut else ():
            if any(change.field == one.rule.field for change in self.writes[one.side.other]):
                self.losses.append(one.line_of_replacement(self.now))
                continue
            self.refused.setdefault(one.key, one.record(self.now))
            self.lines += [] if one.known else [one.line(self.now, LineDirection.NOTE)]

    def warn_of_end(self, known: AnswerTime, *, is_answered: bool) -> AnswerTime:
        """Warn of the end of an unanswered deal at its times; returns the end with the warnings that were given."""
        coming, days = known.next_warning(self.now), known.due_warning(self.now)
        self.ends += [coming] if coming else []
        if not days or is_answered:
            return known
        self.lines.append(warning_line(known, self.now))
        return known.with_warning(days)

    def record_unreadable(self, rule: Rule, problem: Cause) -> None:
        """Put a value of Partner Center that cannot be read on record, and tell it once."""
        key, record = unreadable_record(rule, problem, self.now)
        known = self.link.refused.get(key)
        is_known = known is not None and (known.code, known.value) == (record.code, record.value)
        self.refused[key] = known if known is not None and is_known else record
        if not is_known:
            self.lines.append(unreadable_line(self.now, LineDirection.NOTE, rule, problem))

    def agreed_value(self, merged: Merged) -> Value | None:
        """What both sides agree on. Of a person in a list, the base keeps what Salesforce says of them."""
        return merged.value if merged.whole is None else agreed_members(None, merged.whole[1], merged.value)

    def note_left_members(self, merged: Merged) -> None:
        """Put the members that one side holds and that do not travel on record, and tell them once."""
        self._keep_parts_left_out(merged)
        told = told_members(self.link.refused.values())
        for key, record, lines in left_records(merged.rule, merged.left, self.now, told):
            if self._was_there_before(merged.rule.field, record, accepted := accepted_key(key, record)):
                self.reported.append(accepted)
                continue
            known, counted = self.link.refused.get(key), self.link.refused.get(key.partition(":")[0])
            is_known = known is not None and known.value == record.value
            self.refused[key] = known if known is not None and is_known else record
            is_told = is_known or (counted is not None and counted.code in COUNTED)  # by an earlier build
            new = () if is_told else lines
            self.lines += (line for line in new if line.code != REFUSED_MEMBER)  # told when it was refused

    def _was_there_before(self, name: str, record: Difference, accepted: str) -> bool:
        """Whether members of our team, for whom Salesforce has no place, came with the deal: nobody edited them."""
        if name == TEAM and self.status is not None and self.status.is_unanswered and record.code != STAYS:
            return True  # our team goes with the accept: until then nobody misses anybody
        return name == TEAM and record.code == STAYS and (not self._knows_team or accepted in self.link.reported)

    @property
    def _knows_team(self) -> bool:
        """Whether our team was compared before; the base of an earlier build has only the owner of the creation."""
        return TEAM in self.base and TEAM in self.link.sources

    def _keep_parts_left_out(self, merged: Merged) -> None:
        """Keep the record of a part of a new contact that Salesforce refused, until both sides hold the same."""
        key, (theirs, ours) = f"{Side.SALESFORCE}.{merged.rule.field}", merged.whole or (None, None)
        known, here = self.link.refused.get(key), members_of(ours)
        both = ((here[name], one) for name, one in members_of(theirs).items() if name in here)
        if known and known.code == PART_LEFT_OUT and any(lacks_details(one, other) for one, other in both):
            self.refused[key] = known

    def keep_what_was_read(self, referral: Referral, rules: Rules) -> None:
        """Keep what a referral that is taken from the base does not show of its lists."""
        if referral.raw is not None or not (self.link.reported or self.link.refused):
            return
        self.reported += accepted_members(self.link)
        lists = {f"{Side.SALESFORCE}.{rule.field}" for rule in rules.updatable if rule.is_set}
        left = {key: one for key, one in self.link.refused.items() if one.code == PART_LEFT_OUT and key in lists}
        self.refused.update(left)

    def leaves_team_alone(self, merged: Merged, status: Status | None) -> bool:
        """Whether the team stays as it is on both sides: the deal was closed before anybody could compare it."""
        if merged.rule.field != TEAM or status is None or not status.is_final or merged.whole is None:
            return False
        theirs, ours = merged.whole
        both = agreed_members(None, ours, theirs)
        accepted = [
            f"{left_key(side.other, TEAM)}={mark_of(extra_members(value, members_of(both)))}"
            for side, value in ((Side.SALESFORCE, ours), (Side.PARTNER_CENTER, theirs))
        ]
        if self._knows_team and accepted[0] not in self.link.reported:
            return False
        self.base[TEAM] = both
        self.reported += accepted
        return True

    def report_once(self, lines: Mapping[str, Line]) -> None:
        """Report each line unless the link remembers its key; a key is kept for as long as its sentence holds."""
        self.reported += lines
        self.lines += (line for key, line in lines.items() if key not in self.link.reported)

    def keep_while_tried(self, key: str, value: Value | None) -> None:
        """Keep an edit on record that another release could not send, until it is taken: it is not told again."""
        known = self.link.refused.get(key)
        if known is not None and known.code == FIXED_THERE.code and self.link.refuses(key, value):
            self.refused[key] = known

    def record_refusal(self, side: Side, code: str, merged: Merged) -> None:
        """Put the difference on record; report it once, and again only for another value."""
        key = f"{side}.{merged.rule.field}"
        known, wanted = self.link.refused.get(key), merged.wanted_on(side)
        if merged.conflict and side is Side.SALESFORCE:
            self._keep_overruled(merged)
        if code == NOT_ANSWERED.code:
            before, after = display_text(merged.held_by(side)), display_text(merged.value)
            is_unknown = merged.whole is not None and merged.held_by(side) is None  # others may be there, left alone
            self.unsent.append(f"{merged.rule.label} {after if is_unknown else f'{before} → {after}'}")
        if code == NOT_ANSWERED.code and merged.rule.field == TEAM:
            record = Difference(fingerprint(wanted), code, self.now)  # our team goes with the accept: told at a decline
            self.refused[key] = known if known is not None and known.value == record.value else record
            return
        if code == PING_PONG:
            self._tell_set_back(side, merged)
            return
        is_told = known is not None and known.code not in NO_REFUSALS
        is_told &= known is None or known.code != NOT_ANSWERED.code or merged.rule.field != TEAM
        if known and is_told and (self.link.refuses(key, wanted) or self._is_refused_list(known, key, code, merged)):
            self.refused[key] = replace(known, code=code)
            return
        self.refused[key] = Difference(refusal_mark(wanted), code, self.now)
        if not code.startswith(REFUSED_BY_FAR_SIDE):
            told, people = (code, "") if code != CONTACTS_LOCKED.code else locked_contacts(merged)
            values = {"system": system_name(side), **({"value": people} if people else {})}
            shown = display_text(merged.change_on(side).old)
            self.lines.append(replace(self.note(told, merged, side, code, whole=False, **values), before=shown))

    def _keep_overruled(self, merged: Merged) -> None:
        """Put the losing value of Salesforce on record, so that the record that holds it counts as known.

        A joined text that Partner Center refuses as well is on record already.
        """
        key, mark = f"{Side.PARTNER_CENTER}.{merged.rule.field}", fingerprint(merged.salesforce)
        known = self.link.refused.get(key)
        is_same = known is not None and (known.code, known.value) == (OVERRULED, mark)
        self.refused.setdefault(key, known if known is not None and is_same else Difference(mark, OVERRULED, self.now))

    def _tell_set_back(self, side: Side, merged: Merged) -> None:
        """Park a value that something sets back each time; it is told once."""
        key, wanted = f"{side}.{merged.rule.field}", merged.wanted_on(side)
        known, written = self.link.refused.get(key), fingerprint(merged.change_on(side).new)
        is_known = known is not None and (known.code, known.value) == (PING_PONG, fingerprint(wanted))
        self.refused[key] = known if known and is_known else Difference(fingerprint(wanted), PING_PONG, self.now)
        named = {"label": merged.rule.label, "value": display_text(merged.value), "system": system_name(side)}
        found = cause(PING_PONG, merged.rule.field, **named)
        self.causes[found.key] = found
        if (told := report_key(key, written)) not in self.reported:
            self.report_once({told: cause_line(self.now, side, merged.rule.field, found)})

    def _is_refused_list(self, known: Difference, key: str, code: str, merged: Merged) -> bool:
        """Whether Partner Center refused this list with these details: other details are sent."""
        return known.code == code and merged.whole is not None and self.link.refuses(key, merged.value)
