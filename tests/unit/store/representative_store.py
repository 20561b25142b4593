"""A store with every kind of row that this build writes."""

from copy import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import batched, cycle
from string import Formatter

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import Line, text_line
from shared.domain.cause import Cause
from shared.domain.currencies import OrgCurrencies
from shared.domain.deal import Company, Deal, Money, Person, Side, Status
from shared.domain.help_request import AskedBy, HelpRequest
from shared.domain.leads import KnownLead
from shared.domain.link import WAS_DELETED, Dated, Difference, Effect, EffectKind, Gone, Intent, Link, Pointer, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.microsoft_record import HeardPartner, HeardRecord
from shared.domain.org_addresses import AddressLists, CountrySpelling, OrgAddresses
from shared.domain.org_shape import Column, OrgShape, RecordType
from shared.domain.own_writes import OwnWrite
from shared.domain.plan_lead import OPEN_LEAD
from shared.domain.policy import PULL, PUSH
from shared.domain.repeats import Repeats, Tries, Writes
from shared.domain.sentences import CAUSES, SENTENCES, LineDirection
from shared.store.link_store import LinkStore
from shared.store.operator_rows import Action, store_action
from shared.store.row_codec import pack
from shared.store.rows import Put
from shared.store.store_state import PARTITION, Copied, state_of_store
from shared.store.stored_values import EVENT, OPERATOR, Asker, KnownPath, RetryEntry, SideState
from tests.unit.store.described_store import BACKFILLED, OPPORTUNITIES, REFERRALS

NOW = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)
DEAL = Deal(
    name="Robots for the harbour",
    notes="two lines\nand half a pair \ud83d",
    empty=None,
    money=Money(Decimal("120000.50"), "USD"),
    closing=date(2026, 12, 31),
    status=Status("Closed", "Lost", "Budget"),
    account=Company("Northwind", "US", "1 Main Street", None, "WA", "98101"),
    contacts=(Person("Lee", "Ann", "ann@northwind.example", "+12065550100", "CFO"), Person("Ono")),
    solutions=("SOL-1", "SOL-2"),
    nobody=(),
    shown_solutions="SOL-1;SOL-2;…",
    sales_stage="40",
    marketplace_intent="Have not decided",
    partner_location="1234567",
)
EFFECTS = tuple(
    Effect(kind, DEAL, Deal(name="Old"), version, NOW if number else None, etag=etag, computed=("money",)[:number])
    for (number, kind), etag, version in zip(
        enumerate(EffectKind), cycle(['"known"', None]), cycle(['"etag"', None]), strict=False
    )
)
PERSON = "11111111-2222-3333-4444-555555555555"
"""The Entra object id of an operator."""

OLD_LINE = text_line(NOW - timedelta(days=1), "To Partner Center: Amount empty → 1.00 USD; Stage New → Won.")
"""A line as the builds up to 0.2.0 stored it."""
CREATION = Effect(
    EffectKind.CREATE_OPPORTUNITY,
    DEAL,
    decided=NOW,
    lines=(Line(NOW, "created_opportunity"),),
    refused={"salesforce.name": Difference("0123456789abcdef", "set_at_creation", NOW)},
    cause=Cause("missing_name", "name", "Opportunity Name is empty.", "Please enter a name."),
)
"""The intent to create an opportunity, with all that it tells."""
CATALOGUE = {**SENTENCES, **{code: " ".join(texts) for code, texts in CAUSES.items()}}
PLACEHOLDERS = {name for template in CATALOGUE.values() for _, name, _, _ in Formatter().parse(template) if name}
VALUES = dict.fromkeys(sorted(PLACEHOLDERS), "a value\nof two lines, with half a pair \ud83d")
LINES = tuple(
    Line(NOW, code, direction, side, "money", "1.00 USD", "2.00 USD", "confirmed", VALUES)
    for code, direction, side in zip(CATALOGUE, cycle([*LineDirection, None]), cycle([*Side, None]), strict=False)
    if code != "text"
)
"""A line with each code, each direction and each side."""
PARTS = tuple(batched(LINES, 90, strict=False))
"""One write holds fewer than 100 lines."""

ACTIONS = (
    ("pause", "push pull"),
    ("resume", "push"),
    ("turn-off", "all"),
    ("sync", f"{OPPORTUNITIES[0]} {OPPORTUNITIES[1]}"),
    ("retry", "cause missing_name"),
    ("backfill", "2 links"),
)
"""What operators do, and its scope."""
SHAPE = OrgShape(
    OrgCurrencies(has_several=True, codes=frozenset({"USD", "EUR"})),
    frozenset({"Synced", "Failed"}),
    frozenset({"Audit__c"}),
    frozenset({"Referral_Link__c"}),
    "0.3.0",
    frozenset({"amount", "account.name"}),
    {"amount": Column("Amount", is_number=True), "account.name": Column("Account.Name", updateable=False)},
    has_address_picklists=True,
    has_person_accounts=True,
    record_types={"Account": (RecordType("Person", "012000000000001AAA", is_default=True, is_person=True),)},
    addresses=OrgAddresses(AddressLists(frozenset({"DE"}), {"DE": {"BY": "Bayern"}}), CountrySpelling(has_names=True)),
    notifications={"Cosell_New_Deal": "0ML000000000001AAA", "Another": None},
    required={"region__c": "EMEA", "hot__c": True, "size__c": 1.5},
    stages=frozenset({"Prospecting"}),
)
"""An answer of an org with every part."""

HEARD = HeardRecord(
    "m-1",
    '"etag"',
    NOW,
    "Accepted",
    "Active/Accepted",
    {"microsoft_seller": "0123456789abcdef"},
    "fedcba98",
    is_shown=True,
    ours=("0123456789abcdef",),
    lacking=("microsoft_notes",),
)
ASKED = HelpRequest(
    "GeneralOrOther",
    "0123456789abcdef",
    NOW,
    is_asked=True,
    is_question=True,
    asked_by=AskedBy.COLLEAGUE,
    referral_id="r-microsoft",
    is_shown=False,
)
"""What a whole link has of Microsoft's record, and of the request for help."""


def fill_store(store: LinkStore) -> None:
    """Write every kind of row, with every state, mark, kind of effect and type of value."""
    marks = [None, *Mark]
    for number, (opportunity_id, state) in enumerate(zip(OPPORTUNITIES, State, strict=True)):
        link = replace(whole_link(opportunity_id, state), mark=marks[number % len(marks)])
        link = replace(link, intent=Intent(EFFECTS))
        entry = store.insert_link(link, [OLD_LINE, *PARTS[0]], f"run-{number}")
        for part in PARTS[1:]:
            entry = store.replace_link(entry, link, part, f"run-{number}")
        if number % 2:
            store.replace_link(entry, replace(link, intent=None, cause=None, engagement_id=None))
    store.insert_link(Link("006AA00000000099"))
    for referral_id, pointer in zip(REFERRALS, pointers(), strict=True):
        store.insert_pointer(referral_id, pointer)
    store.keep_party("e-1", "m-1", OPPORTUNITIES[:1])
    store.keep_none_of_ours("m-2", '"1"')
    store.claim_account("northwind|US", timedelta(minutes=5))
    store.keep_forgotten(store.salt(), "0123456789abcdef", {"fedcba9876543210": 2})
    for side in Side:
        store.put_retry_entry(RetryEntry(side, "first", NOW, "busy", 3, since=NOW - timedelta(hours=1)))
        store.put_retry_entry(RetryEntry(side, "M|m-1", NOW + timedelta(minutes=1), "busy", 1, since=NOW))
        causes = ("held", "deleted", "hidden", EVENT, OPERATOR)
        for key, cause in zip(("second", "third", "fourth", "fifth", "asked for"), causes, strict=True):
            asked = Asker(PERSON, NOW) if cause == OPERATOR else None
            store.put_retry_entry(RetryEntry(side, key, NOW + timedelta(hours=1), cause, asked=asked))
    store.write_side_state(Side.SALESFORCE, SideState(NOW, "throttled"))
    paths = {"/name": KnownPath("0.7.0", is_taken=False), "/other": KnownPath("0.6.0", is_taken=True)}
    store.write_side_state(Side.PARTNER_CENTER, SideState(paths=paths))
    store.move_cursors(
        {"push_opportunity": NOW, "push_owner": NOW, "turn_owner": NOW, "sweep_done": NOW - timedelta(days=1)}
    )
    copied = Copied("a" * 64, NOW, has_all_rows=True, imported=NOW)
    store._rows.write(PARTITION, [Put("state", pack(state_of_store(copied)))])
    fill_of_operators(store)
    stamps = {"opportunity": "2026-11-22T10:00:00.000+0000"}
    store.keep_own_writes([OwnWrite(OPPORTUNITIES[0], stamps, "0" * 32, is_settled=True)], NOW)
    store.owner("00D000000000001")
    store.keep_org_shape(SHAPE, NOW)


def fill_of_operators(store: LinkStore) -> None:
    """Write the rows that the commands of an operator leave. A preview leaves none."""
    for number, (action, scope) in enumerate(ACTIONS):
        store_action(store._rows, Action(NOW + timedelta(seconds=number), action, scope, PERSON))
    for direction in (PUSH, PULL):
        store.pause_direction(direction, NOW, PERSON)
    backfilled = Link(BACKFILLED, State.LIVE, "r-backfilled", "e-2", unwritten=True)
    store.insert_link(backfilled, [Line(NOW, "adopted_opportunity", LineDirection.FROM_PARTNER_CENTER)], "run")
    store.put_retry_entry(RetryEntry(Side.SALESFORCE, BACKFILLED, NOW, OPERATOR, since=NOW))


def whole_link(opportunity_id: str, state: State) -> Link:
    """A link with every part filled."""
    return Link(
        opportunity_id,
        state,
        "r-linked",
        "e-1",
        DEAL,
        '"etag"',
        agreed=True,
        stamps={
            "opportunity": "2026-11-22T10:00:00.000+0000",
            "account": "2026-11-21T10:00:00.000+0000",
            "role": "2026-11-21T11:00:00.000+0000",
            "solution_deleted": "2026-11-22T09:59:29+00:00",
            "deleted": "2026-11-22T10:00:00+00:00",
        },
        refused={
            "salesforce.name": Difference("0123456789abcdef", "ignored", NOW),
            "partner_center.solutions:left": Difference("0123456789abcdef", "solution_inactive", NOW),
            "partner_center.partner_location": Difference("0123456789abcdef", "location_fixed", NOW),
            "salesforce.solutions:left": Difference("0123456789abcdef", "row_refused", NOW, ("0123456789abcdef",)),
        },
        waiting={
            "status": Difference("fedcba9876543210", "irreversible", NOW),
            "partner_center.status": Difference("fedcba9876543210", "mass_change", NOW),
        },
        reported=("missing_name:Opportunity Name is empty.",),
        cause=Cause("missing_name", "name", "Opportunity Name is empty.", "Please enter a name."),
        unwritten=True,
        mapping="0123456789ab-cdef",  # with optional fields whose columns the org lacks
        sources={"money": "01234567", "closing": "89abcdef"},
        inbox="0123456789abcdef",
        unshown=Unshown(("Audit__c",), NOW, Cause("TRIGGER", "Audit__c", "Ann Lee may not.", "Ask Ann Lee.")),
        notice=1,
        dated=Dated('"etag"', NOW - timedelta(hours=1)),
        answer_by=AnswerTime(NOW + timedelta(days=14), warned=3, tries=1),
        lead=OPEN_LEAD,
        erased={"contacts": ("0123456789abcdef0123456789abcdef",), "notes": ("0123456789abcdef",)},
        before=State.PARKED,
        gone=Gone(WAS_DELETED, NOW, is_closed=True),
        repeats=Repeats(
            {Side.PARTNER_CENTER: Tries(2, NOW), Side.SALESFORCE: Tries(5, NOW)},
            {"salesforce.money": Writes("0123456789abcdef", (NOW, NOW), is_stopped=True)},
        ),
        consented=True,
        microsoft=HEARD,
        partners={"p-1": HeardPartner('"etag"', "New/Pending", NOW), "p-2": HeardPartner("", "none")},
        close_as_test=True,
        help=ASKED,
    )


def pointers() -> tuple[Pointer, ...]:
    """Pointers: to a link, a claim, a claim of a creation, a refused referral, a lead, and to a backfilled link."""
    refused, lead = Pointer(inbox="0123456789abcdef"), KnownLead("00Q1", '"1"', "New", {"Phone": "0123456789abcdef"})
    creating = Pointer(intent=Intent((CREATION,)))
    linked, backfilled = Pointer(OPPORTUNITIES[0]), Pointer(BACKFILLED)
    return linked, Pointer(intent=Intent()), creating, refused, Pointer(lead=lead), backfilled
