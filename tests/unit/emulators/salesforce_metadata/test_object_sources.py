"""The objects of the package: the inbox, the catalogue of solutions, and the solutions of a deal.

The rules: docs/reference/salesforce.md#custom-objects-in-metadata.
"""

import pytest

from tests.unit.emulators.salesforce_metadata.package_files import (
    LANGUAGES,
    MAIN,
    TRANSLATIONS,
    fields_by_name,
    parse_file,
)

OBJECTS = ("Cosell_Inbox__c", "Cosell_Deal_Solution__c", "Cosell_Solution__c")
ROW, SOLUTION = OBJECTS[1:]


def _texts(sobject: str, field: str) -> dict[str, str]:
    return {str(each.tag).rpartition("}")[2]: each.text or "" for each in fields_by_name(sobject)[field]}


def test_a_row_belongs_to_a_deal_and_names_one_solution_of_the_catalogue() -> None:
    deal, solution = _texts(ROW, "Opportunity__c"), _texts(ROW, "Solution__c")
    assert (deal["type"], deal["referenceTo"], deal["relationshipName"]) == (
        "MasterDetail", "Opportunity", "Cosell_Solutions",
    )  # fmt: skip
    assert (solution["type"], solution["referenceTo"], solution["required"], solution["deleteConstraint"]) == (
        "Lookup", SOLUTION, "true", "Restrict",
    )  # fmt: skip
    root = parse_file(MAIN / f"objects/{ROW}/{ROW}.object-meta.xml")
    assert root.findtext("{*}sharingModel") == "ControlledByParent"
    assert root.findtext("{*}nameField/{*}type") == "AutoNumber"


@pytest.mark.parametrize(("sobject", "field", "length"), [(ROW, "Key__c", "140"), (SOLUTION, "Solution_Id__c", "100")])
def test_the_keys_are_unique_in_any_letter_case(sobject: str, field: str, length: str) -> None:
    texts = _texts(sobject, field)
    assert (texts["externalId"], texts["unique"], texts["caseSensitive"]) == ("true", "true", "false")
    assert texts["length"] == length


def test_everybody_reads_the_catalogue_and_a_new_solution_is_active() -> None:
    root = parse_file(MAIN / f"objects/{SOLUTION}/{SOLUTION}.object-meta.xml")
    assert root.findtext("{*}sharingModel") == "Read"
    assert (_texts(SOLUTION, "Active__c")["defaultValue"], _texts(SOLUTION, "Co_sell_Ready__c")["defaultValue"]) == (
        "true", "false",
    )  # fmt: skip
    view = parse_file(MAIN / f"objects/{SOLUTION}/listViews/Cosell_All_Solutions.listView-meta.xml")
    assert (view.findtext("{*}filterScope"), view.find("{*}filters")) == ("Everything", None)
    assert {each.text for each in view.findall("{*}columns")} == {"NAME", *fields_by_name(SOLUTION)}


def test_layout_and_page_of_a_deal_list_its_solutions() -> None:
    layout = parse_file(MAIN / "layouts" / "Opportunity-Co-sell Layout.layout-meta.xml")
    related = {e.findtext("{*}relatedList"): e for e in layout.findall("{*}relatedLists")}
    assert [e.text for e in related[f"{ROW}.Opportunity__c"].findall("{*}fields")] == ["Solution__c", "NAME"]
    page = parse_file(MAIN / "flexipages" / "Cosell_Opportunity_Page.flexipage-meta.xml")
    properties = {
        e.findtext("{*}name"): e.findtext("{*}value") for e in page.iterfind(".//{*}componentInstanceProperties")
    }
    assert properties["relatedListApiName"] == f"{_texts(ROW, 'Opportunity__c')['relationshipName']}__r"


@pytest.mark.parametrize("field", ["Solution_Area__c", "Solution_Play__c", "Partner_Role__c", "Marketplace_Intent__c"])
def test_a_list_of_microsofts_takes_values_that_it_does_not_name(field: str) -> None:
    """The lists change each July, and the mapping file says what is sent."""
    [values] = fields_by_name()[field].iterfind("{*}valueSet")
    assert values.findtext("{*}restricted") == "false"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sobject", OBJECTS)
def test_a_language_translates_the_objects(language: str, sobject: str) -> None:
    folder = TRANSLATIONS / f"{sobject}-{language}"
    translated = {path.name.partition(".")[0]: parse_file(path) for path in folder.glob("*.fieldTranslation-meta.xml")}
    assert set(translated) == set(fields_by_name(sobject))
    for name, root in translated.items():
        assert (root.findtext("{*}name"), bool(root.findtext("{*}help"))) == (name, True)
        assert 0 < len(root.findtext("{*}label")) <= 40
        lists = [source.findtext("{*}relationshipLabel") for source in (fields_by_name(sobject)[name], root)]
        assert bool(lists[0]) is bool(lists[1]), "the title of the related list"
    whole = parse_file(folder / f"{sobject}-{language}.objectTranslation-meta.xml")
    assert whole.findtext("{*}nameFieldLabel")
    cases = [(e.findtext("{*}caseType"), e.findtext("{*}plural")) for e in whole.findall("{*}caseValues")]
    types = ("Nominative", "Accusative", "Genitive", "Dative") if language == "de" else (None,)
    assert cases == [(case, plural) for case in types for plural in ("false", "true")]
    assert all(0 < len(e.findtext("{*}value")) <= 40 for e in whole.findall("{*}caseValues"))


def test_the_translations_are_in_exactly_these_languages() -> None:
    folders = TRANSLATIONS.iterdir()
    assert {folder.name for folder in folders} == {
        f"{sobject}-{language}" for language in LANGUAGES for sobject in ("Lead", "Opportunity", *OBJECTS)
    }
