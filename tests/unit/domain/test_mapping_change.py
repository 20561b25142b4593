"""Which fields are newly sent to Partner Center (docs/protocol.md#a-field-that-is-newly-sent)."""

from copy import replace

from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Link
from shared.domain.mapping_change import first_approval, unapproved_fields, with_approval

RULES = Rules({
    "name": Rule("name", "Name", source="Name"), "notes": Rule("notes", "Notes", source="Notes"),
    "money": Rule("money", "Amount", source="Amount"), "account": Rule("account", "Account", on_update=False),
}, mapping="file-1")  # fmt: skip
OUTBOUND = {"name": "Name", "notes": "Notes", "money": "Amount", "account": "Account", "help": "Help"}
ALL = {name: (source,) for name, source in OUTBOUND.items()}


def test_a_field_is_held_if_it_is_sent_from_a_source_that_nobody_approved() -> None:
    approved = {"name": ("Name",), "notes": ("Old", "Notes"), "money": ("Old",)}
    assert unapproved_fields(OUTBOUND, approved) == {"money", "account", "help"}


def test_an_approval_keeps_the_sources_of_before_each_once() -> None:
    approved = {"name": ("Old", "Name"), "notes": ("Old",), "x": ("y",)}
    expected = {"name": ("Old", "Name"), "notes": ("Old", "Notes"), "x": ("y",)}
    assert with_approval(approved, ["name", "notes"], OUTBOUND) == expected


def test_a_store_without_links_or_with_links_of_this_very_file_has_approved_it() -> None:
    assert first_approval(OUTBOUND, [], RULES) == ALL
    assert first_approval(OUTBOUND, [Link("1", sources={"name": "x"}), Link("2", mapping="file-2")], RULES) == ALL
    assert first_approval(OUTBOUND, [Link("1")], RULES) == ALL


def test_another_file_approves_what_a_referral_needs_if_a_link_was_read_the_same_way() -> None:
    links = [
        Link("1", mapping="other", sources={"name": "Name"}),
        Link("2", mapping="other-1", sources={"money": "Old"}),
    ]
    assert first_approval(OUTBOUND, links, RULES) == {name: ALL[name] for name in ("name", "account", "help")}
    known = [*links, Link("3", mapping="other", sources={"money": "Amount", "notes": "Notes"})]
    assert first_approval(OUTBOUND, known, RULES) == {name: ALL[name] for name in ("name", "money", "account", "help")}


def test_one_link_that_says_how_it_was_read_is_enough() -> None:
    links = [Link("1", mapping="other", sources={"name": "Name"}), Link("2")]
    assert first_approval(OUTBOUND, links, RULES) == {name: ALL[name] for name in ("name", "account", "help")}


def test_what_an_org_hides_makes_no_other_file() -> None:
    hiding = replace(RULES, mapping=f"{RULES.mapping}-hidden")
    assert first_approval(OUTBOUND, [Link("1", mapping=RULES.mapping, sources={"name": "x"})], hiding) == ALL
