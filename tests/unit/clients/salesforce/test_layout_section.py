import pytest

from shared.clients.salesforce.layout_section import SECTION_LABEL, insert_section, our_lists_in, our_section_in
from shared.clients.salesforce.metadata_xml import children_named, local_name, parse_xml, text_of
from shared.foundation.errors import ConfigurationError, Unavailable
from tests.unit.clients.salesforce.emulated_org import product_package

PRODUCT_LAYOUT = product_package().files["layouts/Opportunity-Co-sell Layout.layout"]
PRODUCT_SECTION, PRODUCT_LISTS = our_section_in(PRODUCT_LAYOUT), our_lists_in(PRODUCT_LAYOUT)
OF_SOLUTIONS = "Cosell_Deal_Solution__c.Opportunity__c"
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
PRODUCT_FIELDS = (
    "Sync_with_Partner_Center__c", "How_can_Microsoft_help__c", "Visible_to_Microsoft__c", "Notes_to_Microsoft__c",
    "Customer_Consents__c", "Products__c", "Partner_Center_Sales_Stage__c", "Marketing_Campaign_Id__c",
    "Referral_Program__c", "Marketplace_Intent__c", "Solution_Area__c", "Solution_Play__c", "Partner_Role__c",
    "Partner_Location__c", "Closing_Reason__c", "Closing_Reason_Details__c", "Audit__c",
    "Sync_Mark__c", "Sync_Status__c", "Answer_By__c", "Referral_Identifier__c", "Referral_Link__c",
    "Partner_Center_Amount__c", "Partner_Center_Currency__c", "Microsoft_Status__c", "Microsoft_Answer_By__c",
    "Microsoft_CRM_Identifier__c", "Microsoft_Seller__c", "Microsoft_Notes__c",
)  # fmt: skip


def layout_item(field: str, behavior: str = "Edit") -> str:
    return f"<layoutItems><behavior>{behavior}</behavior><field>{field}</field></layoutItems>"


def layout_section(label: str, *columns: str, style: str = "TwoColumnsTopToBottom") -> str:
    inside = "".join(f"<layoutColumns>{column}</layoutColumns>" for column in columns)
    return f"<layoutSections><label>{label}</label>{inside}<style>{style}</style></layoutSections>"


def layout_xml(*sections: str, before: str = "", after: str = "") -> bytes:
    return f"<Layout {XMLNS}>{before}{''.join(sections)}{after}</Layout>".encode()


def section_labels(data: bytes) -> list[str]:
    return [text_of(each, "label") for each in children_named(parse_xml(data), "layoutSections")]


INFORMATION = layout_section("Information", layout_item("Name", "Required"), layout_item("Amount"))
SYSTEM = layout_section("System", layout_item("CreatedById", "Readonly"), layout_item("LastModifiedById", "Readonly"))
LINKS = layout_section("Links", "", style="CustomLinks")


def test_the_section_goes_above_the_system_information_and_the_links() -> None:
    change = insert_section(layout_xml(INFORMATION, SYSTEM, LINKS), PRODUCT_SECTION)
    assert section_labels(change.after) == ["Information", SECTION_LABEL, "System", "Links"]
    assert change.fields == PRODUCT_FIELDS
    assert section_labels(insert_section(layout_xml(INFORMATION, LINKS), PRODUCT_SECTION).after) == [
        "Information",
        SECTION_LABEL,
        "Links",
    ]
    assert section_labels(insert_section(layout_xml(INFORMATION), PRODUCT_SECTION).after) == [
        "Information",
        SECTION_LABEL,
    ]


def test_in_a_layout_without_sections_it_stands_in_schema_order() -> None:
    after = "<relatedLists><relatedList>RelatedActivityList</relatedList></relatedLists>"
    change = insert_section(layout_xml(before="<excludeButtons>Submit</excludeButtons>", after=after), PRODUCT_SECTION)
    assert [local_name(child) for child in parse_xml(change.after)] == [
        "excludeButtons",
        "layoutSections",
        "relatedLists",
    ]


def test_everything_else_stays_as_it_was() -> None:
    change = insert_section(
        layout_xml(INFORMATION, SYSTEM, after="<showEmailCheckbox>false</showEmailCheckbox>"), PRODUCT_SECTION
    )
    removed = [line for line in change.difference.splitlines() if line.startswith("-") and line != "--- before"]
    assert removed == []
    root = parse_xml(change.after)
    root.remove(
        next(each for each in children_named(root, "layoutSections") if text_of(each, "label") == SECTION_LABEL)
    )
    kept = [text_of(each, "label") for each in children_named(root, "layoutSections")]
    assert kept == ["Information", "System"]


def test_inserting_it_twice_changes_nothing_the_second_time() -> None:
    once = insert_section(layout_xml(INFORMATION), PRODUCT_SECTION)
    twice = insert_section(once.after, PRODUCT_SECTION)
    assert twice.fields == ()
    assert twice.after == twice.before == once.after
    assert twice.difference == ""


def test_fields_that_the_sync_writes_are_read_only() -> None:
    change = insert_section(layout_xml(INFORMATION), PRODUCT_SECTION)
    behaviors = {
        text_of(each, "field"): text_of(each, "behavior")
        for section_ in children_named(parse_xml(change.after), "layoutSections")
        for column in children_named(section_, "layoutColumns")
        for each in children_named(column, "layoutItems")
    }
    assert {name for name in PRODUCT_FIELDS if behaviors[name] == "Edit"} == set(PRODUCT_FIELDS[:16])
    assert {name for name in PRODUCT_FIELDS if behaviors[name] == "Readonly"} == set(PRODUCT_FIELDS[16:])


def test_a_field_in_another_section_stays_there() -> None:
    mine = layout_section("Mine", layout_item("Products__c") + layout_item("Audit__c", "Readonly"))
    change = insert_section(layout_xml(mine), PRODUCT_SECTION)
    assert set(change.fields) == set(PRODUCT_FIELDS) - {"Products__c", "Audit__c"}
    assert change.after.count(b"Products__c") == 1


def test_a_section_that_lacks_some_fields_is_completed() -> None:
    older = layout_section(
        SECTION_LABEL, layout_item("Sync_with_Partner_Center__c"), layout_item("Referral_Identifier__c", "Readonly")
    )
    change = insert_section(layout_xml(older, SYSTEM), PRODUCT_SECTION)
    assert section_labels(change.after) == [SECTION_LABEL, "System"]
    assert set(change.fields) == set(PRODUCT_FIELDS) - {"Sync_with_Partner_Center__c", "Referral_Identifier__c"}


@pytest.mark.parametrize("columns", [(), ("",), (layout_item("Sync_Mark__c", "Readonly"),)])
def test_a_section_with_other_columns_receives_all_fields(columns: tuple[str, ...]) -> None:
    change = insert_section(layout_xml(layout_section(SECTION_LABEL, *columns)), PRODUCT_SECTION)
    assert section_labels(change.after) == [SECTION_LABEL]
    for name in PRODUCT_FIELDS:
        assert change.after.count(f"<field>{name}</field>".encode()) == 1


def test_the_difference_shows_the_new_lines() -> None:
    shown = insert_section(layout_xml(INFORMATION), PRODUCT_SECTION).difference
    assert "+        <label>Microsoft co-sell</label>" in shown
    assert shown.startswith("--- before\n+++ after\n")


@pytest.mark.parametrize("data", [b"", b"<Layout", b"<html/>", f"<Profile {XMLNS}/>".encode()])
def test_anything_but_a_layout_is_refused(data: bytes) -> None:
    with pytest.raises(Unavailable, match="not a layout"):
        insert_section(data, PRODUCT_SECTION)


def test_our_own_layout_must_have_the_section() -> None:
    with pytest.raises(ConfigurationError, match="no section 'Microsoft co-sell'"):
        our_section_in(layout_xml(INFORMATION))


@pytest.mark.parametrize(
    ("after", "order"),
    [
        ("<relatedLists><relatedList>RelatedActivityList</relatedList></relatedLists>",
         ["layoutSections", "layoutSections", "relatedLists", "relatedLists"]),
        ("<quickActionList/><showEmailCheckbox>false</showEmailCheckbox>",
         ["layoutSections", "layoutSections", "quickActionList", "relatedLists", "showEmailCheckbox"]),
    ],
)  # fmt: skip
def test_the_list_of_solutions_stands_below_the_other_lists(after: str, order: list[str]) -> None:
    change = insert_section(layout_xml(INFORMATION, after=after), PRODUCT_SECTION, PRODUCT_LISTS)
    assert change.lists == (OF_SOLUTIONS,)
    root = parse_xml(change.after)
    assert [local_name(child) for child in root] == order
    assert text_of(list(children_named(root, "relatedLists"))[-1], "relatedList") == OF_SOLUTIONS


def test_a_list_of_solutions_that_is_there_stays_as_it_is() -> None:
    mine = f"<relatedLists><fields>NAME</fields><relatedList>{OF_SOLUTIONS}</relatedList></relatedLists>"
    change = insert_section(layout_xml(INFORMATION, after=mine), PRODUCT_SECTION, PRODUCT_LISTS)
    assert (change.lists, change.after.count(b"<relatedLists>")) == ((), 1)
