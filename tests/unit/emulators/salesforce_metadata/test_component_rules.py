"""The rules for components that the schema does not hold and the service applies.

The rules: docs/reference/salesforce.md#custom-fields-in-metadata,
docs/reference/salesforce.md#permission-sets-in-metadata and
docs/reference/salesforce.md#layouts-and-record-pages-in-metadata.
"""

import pytest

from emulators.base.server import Request
from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.source_format import Package, read_source
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce_metadata.deploy_client import (
    DEAL,
    PROJECT,
    XMLNS,
    Deployer,
    problem_texts,
    single_component_package,
    single_field_package,
    whole_package,
)

LABEL = "<label>Odd</label>"


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("<length>9</length><type>Text</type>", "Must specify 'label' for a CustomField of type Text"),
        (f"{LABEL}<type>Text</type>", "Must specify 'length' for a CustomField of type Text"),
        (f"{LABEL}<length>500</length><type>LongTextArea</type>", "Must specify 'visibleLines'"),
        (f"{LABEL}<length>255</length><type>Url</type>", "Can not specify 'length' for a CustomField of type Url"),
        (f"{LABEL}<type>Checkbox</type>", "Must specify 'defaultValue' for a CustomField of type Checkbox"),
        (f"<defaultValue>false</defaultValue>{LABEL}<required>true</required><type>Checkbox</type>", "'required'"),
        (f"<formula>Name</formula>{LABEL}<type>Text</type>", "must be BlankAsBlank"),
        (f"<formula>Nope__c</formula><formulaTreatBlanksAs>BlankAsBlank</formulaTreatBlanksAs>{LABEL}<type>Text</type>",
         "Field nope__c does not exist. Check spelling."),
        (f"<formula>VLOOKUP(Name)</formula>{LABEL}<type>Text</type>", "does not know the function VLOOKUP"),
        (f"<formula>ISNEW()</formula>{LABEL}<type>Text</type>", "ISNEW may not stand in a field's formula"),
        (f"{LABEL}<type>Location</type>", "does not know custom fields of the type Location"),
        (f"<label>{'x' * 41}</label><length>9</length><type>Text</type>", "label maximum length is:40"),
    ],
)  # fmt: skip
def test_a_field_with_missing_or_forbidden_elements_is_refused(deployer: Deployer, rest: str, message: str) -> None:
    refusals = deployer.deploy_refusals(single_field_package("Odd__c", rest))
    assert any(message in each for each in refusals), refusals


def test_a_field_of_an_unknown_object_is_refused(deployer: Deployer) -> None:
    package = single_field_package("Odd__c", f"{LABEL}<length>9</length><type>Text</type>", "Nothing__c")
    assert deployer.deploy_refusals(package) == ["Entity of type 'Nothing__c' is not available in this organization"]


def test_a_field_cannot_change_its_type(org: SalesforceEmulator, deployer: Deployer) -> None:
    deployer.deploy(single_field_package("Odd__c", f"{LABEL}<length>9</length><type>Text</type>"))
    (text,) = deployer.deploy_refusals(single_field_package("Odd__c", f"{LABEL}<type>Url</type>"))
    assert text == "Cannot update a field to a Url from something else"
    assert org.org.model.get("Opportunity").fields["odd__c"].length == 9


def test_a_field_with_duplicate_values_cannot_be_made_unique(org: SalesforceEmulator, deployer: Deployer) -> None:
    plain = f"{LABEL}<length>9</length><type>Text</type>"
    deployer.deploy(single_field_package("Odd__c", plain))
    org.insert("Opportunity", {**DEAL, "Odd__c": "a"})
    second = org.insert("Opportunity", {**DEAL, "Odd__c": "A"})
    unique = single_field_package("Odd__c", plain + "<unique>true</unique>")
    assert "cannot be made unique" in deployer.deploy_refusals(unique)[0]
    org.delete("Opportunity", second)
    assert deployer.deploy(unique)["status"] == "Succeeded"
    record = org.records("Opportunity")[0]
    with pytest.raises(Exception, match="duplicate value found") as caught:
        org.insert("Opportunity", {**DEAL, "Odd__c": "A"})
    assert record["Id"][:15] in str(caught.value)


TAB_SETTING = "<tabSettings><tab>Nope__c</tab><visibility>Visible</visibility></tabSettings>"


def _permission_set(inside: str) -> Package:
    text = f"<PermissionSet {XMLNS}>{inside}</PermissionSet>"
    return single_component_package("permissionsets/P.permissionset", text, "PermissionSet", "P")


def _field_permission(name: str, editable: str = "true") -> str:
    inside = f"<editable>{editable}</editable><field>{name}</field><readable>true</readable>"
    return f"<fieldPermissions>{inside}</fieldPermissions><label>P</label>"


def _object_permission(name: str) -> str:
    rights = ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords")
    inside = "".join(f"<{right}>true</{right}>" for right in rights)
    end = f"<object>{name}</object><viewAllRecords>false</viewAllRecords></objectPermissions>"
    return f"<label>P</label><objectPermissions>{inside}{end}"


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (_field_permission("Opportunity.Nope__c"), "no CustomField named Opportunity.Nope__c found"),
        (_field_permission("Opportunity.StageName"), "You cannot deploy to a required field: Opportunity.StageName"),
        (_field_permission("Opportunity.ExpectedRevenue"), "is not editable"),
        (_field_permission("Opportunity.Amount") + "<license>Nope</license>", "no PermissionSetLicense named Nope"),
        (_object_permission("Opportunity"), "Permission Read Opportunity depends on permission(s): Read Account"),
        (_object_permission("Contact"), "Permission Read Contact depends on permission(s): Read Account"),
        (_object_permission("Account"), "Permission Modify All Account depends on permission(s): View All Account"),
        (_object_permission("Nope__c"), "In field: object - no CustomObject named Nope__c found"),
        (f"<label>P</label>{TAB_SETTING}", "In field: tab - no CustomTab named Nope__c found"),
    ],
)
def test_a_permission_set_that_the_org_cannot_grant_is_refused(deployer: Deployer, inside: str, message: str) -> None:
    refusals = deployer.deploy_refusals(_permission_set(inside))
    assert any(message in each for each in refusals), refusals


def test_an_address_is_granted_as_a_whole(deployer: Deployer) -> None:
    assert deployer.deploy(_permission_set(_field_permission("Account.BillingAddress")))["status"] == "Succeeded"


def _layout_package(*items: tuple[str, str], required: bool = True, probability: bool = True) -> Package:
    all_items = [
        *items,
        *((("Name", "Required"), ("CloseDate", "Required"), ("StageName", "Required")) if required else ()),
        *((("Probability", "Edit"),) if probability else ()),
    ]
    inside = "".join(f"<layoutItems><behavior>{b}</behavior><field>{f}</field></layoutItems>" for f, b in all_items)
    section = f"<layoutSections><layoutColumns>{inside}</layoutColumns><style>OneColumn</style></layoutSections>"
    name = "Opportunity-Mine"
    return single_component_package(f"layouts/{name}.layout", f"<Layout {XMLNS}>{section}</Layout>", "Layout", name)


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (_layout_package(probability=False), "Layout must contain an item for required layout field: Probability"),
        (_layout_package(required=False), "Layout must contain an item for required layout field: Name"),
        (_layout_package(("Nope__c", "Edit")), "no CustomField named Opportunity.Nope__c found"),
        (_layout_package(("Amount", "Edit"), ("Amount", "Edit")), "Field:Amount appears more than once"),
        (_layout_package(("CreatedById", "Edit")), "Field:CreatedById must be Readonly"),
        (_layout_package(("Name", "Edit"), required=False), "Field:Name must be Required"),
    ],
)
def test_a_wrong_layout_is_refused(deployer: Deployer, package: Package, message: str) -> None:
    refusals = deployer.deploy_refusals(package)
    assert any(message in each for each in refusals), refusals


def test_a_layout_needs_the_required_custom_fields(deployer: Deployer) -> None:
    org = deployer.org
    xml = "<fullName>Region__c</fullName><label>R</label><length>9</length><type>Text</type>"
    control(org, "field", sobject="Opportunity", xml=f"<CustomField {XMLNS}>{xml}</CustomField>")
    assert deployer.deploy(_layout_package())["success"]
    control(org, "required", sobject="Opportunity", field="Region__c")
    assert deployer.deploy_refusals(_layout_package()) == [
        "Layout must contain an item for required layout field: Region__c"
    ]
    assert deployer.deploy_refusals(_layout_package(("Region__c", "Edit"))) == ["Field:Region__c must be Required"]
    assert deployer.deploy(_layout_package(("Region__c", "Required")))["success"]
    layout = org.deployments.documents.kept["Layout", "Opportunity-Opportunity Layout"]
    assert layout.count(b"<field>Region__c</field>") == 1  # the service puts it onto the layouts of the org


def test_a_list_view_with_an_unknown_field_is_refused(deployer: Deployer) -> None:
    text = (
        f"<CustomObject {XMLNS}><listViews><fullName>V</fullName><columns>Nope__c</columns>"
        f"<filterScope>Everything</filterScope><label>{'x' * 41}</label></listViews></CustomObject>"
    )
    package = single_component_package("objects/Opportunity.object", text, "ListView", "Opportunity.V")
    assert deployer.deploy_refusals(package) == [
        "Value too long for field: label maximum length is:40",
        "Could not resolve list view column: Nope__c",
    ]


OBJECT = {
    "deploymentStatus": "Deployed", "label": "Thing", "nameField": "<label>Name</label><type>Text</type>",
    "pluralLabel": "Things", "sharingModel": "Read",
}  # fmt: skip


def _object_package(**changes: str) -> Package:
    elements = "".join(f"<{name}>{text}</{name}>" for name, text in sorted((OBJECT | changes).items()) if text)
    text = f"<CustomObject {XMLNS}>{elements}</CustomObject>"
    return single_component_package("objects/Thing__c.object", text, "CustomObject", "Thing__c")


def _tab_package(inside: str) -> Package:
    text = f"<CustomTab {XMLNS}>{inside}</CustomTab>"
    return single_component_package("tabs/Thing__c.tab", text, "CustomTab", "Thing__c")


TAB = "<customObject>true</customObject><motif>Custom53: Bell</motif>"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": ""}, "Must specify a non-empty label for the CustomObject"),
        ({"pluralLabel": ""}, "Must specify a non-empty pluralLabel for the CustomObject"),
        ({"label": "x" * 41}, "label maximum length is:40"),
        ({"nameField": ""}, "Must specify a nameField of type Text or AutoNumber"),
        ({"deploymentStatus": ""}, "Must specify 'deploymentStatus' for a CustomObject"),
        ({"sharingModel": ""}, "Must specify 'sharingModel' for a CustomObject"),
        ({"sharingModel": "ControlledByParent"}, "without a MasterDetail relationship field"),
        ({"externalSharingModel": "ReadWrite"}, "cannot be more open than the sharing model"),
    ],
)
def test_a_custom_object_that_lacks_something_is_refused(
    org: SalesforceEmulator, deployer: Deployer, changes: dict[str, str], message: str
) -> None:
    refusals = deployer.deploy_refusals(_object_package(**changes))
    assert any(message in each for each in refusals), refusals
    assert org.org.model.find_object("Thing__c") is None


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (f"{TAB}<label>Things</label>", "Can not specify 'label' for a CustomTab of a custom object"),
        ("<customObject>true</customObject>", "Must specify 'motif' for a CustomTab"),
        ("<customObject>false</customObject><motif>Custom53: Bell</motif>", "tabs of custom objects only"),
    ],
)
def test_a_wrong_tab_is_refused(deployer: Deployer, inside: str, message: str) -> None:
    assert deployer.deploy(_object_package())["status"] == "Succeeded"
    refusals = deployer.deploy_refusals(_tab_package(inside))
    assert any(message in each for each in refusals), refusals


def test_a_tab_needs_its_object_and_a_right_to_the_tab_needs_the_tab(deployer: Deployer) -> None:
    tab = _tab_package(TAB)
    assert deployer.deploy_refusals(tab) == ["In field: customObject - no CustomObject named Thing__c found"]
    deployer.deploy(_object_package())
    setting = TAB_SETTING.replace("Nope__c", "Thing__c")
    right = _permission_set(f"<label>P</label>{setting}")
    assert deployer.deploy_refusals(right) == ["In field: tab - no CustomTab named Thing__c found"]
    assert deployer.deploy(tab)["status"] == "Succeeded"
    assert deployer.deploy(right)["status"] == "Succeeded"


def test_a_list_view_of_a_custom_object_names_its_own_columns(deployer: Deployer) -> None:
    deployer.deploy(_object_package())
    columns = "".join(f"<columns>{name}</columns>" for name in ("NAME", "CREATED_DATE", "OPPORTUNITY.NAME"))
    text = (
        f"<CustomObject {XMLNS}><listViews><fullName>V</fullName>{columns}<filterScope>Everything</filterScope>"
        "<label>V</label></listViews></CustomObject>"
    )
    package = single_component_package("objects/Thing__c.object", text, "ListView", "Thing__c.V")
    assert deployer.deploy_refusals(package) == ["Could not resolve list view column: OPPORTUNITY.NAME"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Record.Audit__c", "Record.Nope__c", "field Record.Nope__c"),
        ("RecordAuditField", "RecordProductsField", "The identifier RecordProductsField is not unique"),
        ("<value>Facet-cosell-left</value>", "<value>Facet-nowhere</value>", "The facet Facet-nowhere is not defined"),
        ("<name>sidebar</name>", "<name>main</name>", "The region main is not unique"),
    ],
)
def test_a_wrong_record_page_is_refused(deployer: Deployer, old: str, new: str, message: str) -> None:
    deployer.deploy(whole_package())
    file = "flexipages/Cosell_Opportunity_Page.flexipage"
    text = whole_package().files[file].decode()
    assert old in text
    package = single_component_package(file, text.replace(old, new), "FlexiPage", "Cosell_Opportunity_Page")
    refusals = deployer.deploy_refusals(package)
    assert any(message in each for each in refusals), refusals


def test_translations_need_the_translation_workbench_and_their_language(
    org: SalesforceEmulator, deployer: Deployer
) -> None:
    deployer.deploy(whole_package())
    translations = read_source(PROJECT / "translations")
    assert set(deployer.deploy_refusals(translations)) == {"Not available for deploy for this organization"}
    org.handle(Request("POST", "/_control/translations", body=b'{"languages": ["de", "fr", "ja"]}'))
    refusals = deployer.deploy_refusals(translations)
    assert set(refusals) == {"The language zh_TW is not active in the Translation Workbench"}
    org.handle(Request("POST", "/_control/translations", body=b'{"languages": ["de", "fr", "ja", "zh_TW"]}'))
    assert deployer.deploy(translations)["status"] == "Succeeded"


def test_a_translation_of_an_unknown_field_is_refused(org: SalesforceEmulator, deployer: Deployer) -> None:
    org.handle(Request("POST", "/_control/translations", body=b'{"languages": ["de", "fr", "ja", "zh_TW"]}'))
    refusals = deployer.deploy_refusals(read_source(PROJECT / "translations"))
    assert "In field: name - no CustomField named Opportunity.Audit__c found" in refusals


@pytest.mark.parametrize(
    ("formula", "field_name", "message"),
    [
        ("Nope__c", "", "Field nope__c does not exist. Check spelling."),
        ("ISNEW()", "Nope__c", "Field nope__c does not exist. Check spelling."),
        ("ISNEW(", "", "Error in the formula"),
        ("ISCLONE(Name)", "", "Error in the formula"),
        ("REGEX(Name)", "", "does not know the function REGEX"),
    ],
)
def test_a_validation_rule_with_a_wrong_formula_or_field_is_refused(
    deployer: Deployer, formula: str, field_name: str, message: str
) -> None:
    error_field = f"<errorDisplayField>{field_name}</errorDisplayField>" if field_name else ""
    text = (
        f"<CustomObject {XMLNS}><validationRules><fullName>R</fullName><active>true</active><errorConditionFormula>"
        f"{formula}</errorConditionFormula>{error_field}<errorMessage>No.</errorMessage></validationRules></CustomObject>"
    )
    package = single_component_package("objects/Opportunity.object", text, "ValidationRule", "Opportunity.R")
    refusals = deployer.deploy_refusals(package)
    assert any(message in each for each in refusals), refusals


def test_one_mistake_is_reported_for_every_component_that_it_breaks(deployer: Deployer) -> None:
    package = whole_package()
    broken = package.files["objects/Opportunity.object"].replace(b"<visibleLines>4</visibleLines>", b"")
    result = deployer.deploy(Package({**package.files, "objects/Opportunity.object": broken}, package.members))
    assert result["status"] == "Failed"
    failed = {failure["fullName"] for failure in result["details"]["componentFailures"]}
    assert {"Opportunity.Audit__c", "Cosell_Seller", "Opportunity-Co-sell Layout"} <= failed
    assert len(problem_texts(result)) == result["numberComponentErrors"]
