"""Deployments by REST (docs/reference/salesforce.md#rest-deployment)."""

import pytest

from emulators.base.server import Request
from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.errors import ApiError
from tests.unit.emulators.salesforce_metadata.deploy_client import (
    DEAL,
    XMLNS,
    Deployer,
    problem_texts,
    single_component_package,
    single_field_package,
    whole_package,
    zip_files,
)


def has_field(org: SalesforceEmulator, name: str) -> bool:
    return org.org.model.get("Opportunity").find_field(name) is not None


def test_a_bare_org_has_no_field_of_this_project(org: SalesforceEmulator) -> None:
    assert not has_field(org, "Audit__c")
    with pytest.raises(ApiError, match="Audit__c"):
        org.insert("Opportunity", {**DEAL, "Audit__c": "x"})


def test_old_records_have_the_deployed_fields_at_once(org: SalesforceEmulator, deployer: Deployer) -> None:
    old = org.insert("Opportunity", DEAL)
    stamp = org.record("Opportunity", old)["SystemModstamp"]
    result = deployer.deploy(whole_package())
    assert (result["status"], result["numberComponentsDeployed"], result["numberComponentErrors"]) == (
        "Succeeded",
        whole_package().member_count,
        0,
    )
    record = org.record("Opportunity", old)
    assert (record["Sync_with_Partner_Center__c"], record["Referral_Identifier__c"], record["Sync_Mark__c"]) == (
        False,
        None,
        None,
    )
    assert record["SystemModstamp"] == stamp
    org.edit("Opportunity", old, {"Sync_Status__c": "Synced", "Referral_Identifier__c": "R-1"})
    assert org.record("Opportunity", old)["Sync_Mark__c"] == "\N{HEAVY CHECK MARK}"


def test_a_deployed_org_equals_an_org_that_loads_the_same_metadata(org: SalesforceEmulator, deployer: Deployer) -> None:
    deployer.deploy(whole_package())
    loaded = SalesforceEmulator()
    deployed_fields, loaded_fields = (each.org.model.get("Opportunity").fields for each in (org, loaded))
    for name, expected in loaded_fields.items():
        field = deployed_fields[name]
        assert (field.kind, field.length, field.unique, field.external_id, field.values, field.help) == (
            expected.kind, expected.length, expected.unique, expected.external_id, expected.values, expected.help,
        )  # fmt: skip
    assert set(deployed_fields) == set(loaded_fields)
    assert set(org.org.deployed_rules) == set(loaded.org.deployed_rules)
    kinds = {"Layout", "PermissionSet", "FlexiPage", "ListView", "ValidationRule", "CustomObject", "CustomTab"}
    documents = [{key for key in each.deployments.documents.kept if key[0] in kinds} for each in (org, loaded)]
    assert documents[0] == documents[1]


def test_a_custom_object_of_the_package_has_a_table_at_once(org: SalesforceEmulator, deployer: Deployer) -> None:
    assert org.org.model.find_object("Cosell_Inbox__c") is None
    deployer.deploy(whole_package(), checkOnly=True)
    assert org.org.model.find_object("Cosell_Inbox__c") is None
    deployer.deploy(whole_package())
    made = org.insert("Cosell_Inbox__c", {"Name": "Deal", "Key__c": "R-1", "Deal_Value__c": 1000000})
    assert made.startswith("a0")
    deployer.deploy(whole_package())
    assert [record["Key__c"] for record in org.records("Cosell_Inbox__c")] == ["R-1"]
    loaded = SalesforceEmulator().org.model.get("Cosell_Inbox__c")
    deployed = org.org.model.get("Cosell_Inbox__c")
    assert (deployed.label, deployed.plural, set(deployed.fields)) == (loaded.label, loaded.plural, set(loaded.fields))


def test_a_deployment_goes_through_its_states(deployer: Deployer) -> None:
    posted = deployer.post_zip(whole_package().to_zip("66.0")).json()
    assert posted["deployResult"]["status"] == "Pending"
    first, second, third = (deployer.read_state(posted["id"]) for _ in range(3))
    assert [first["status"], second["status"], third["status"]] == ["InProgress", "Succeeded", "Succeeded"]
    assert (first["done"], first["details"]["componentSuccesses"], second["done"]) == (False, [], True)


def test_a_second_deployment_changes_the_components_and_creates_none(deployer: Deployer) -> None:
    first, second = (deployer.deploy(whole_package())["details"]["componentSuccesses"][1:] for _ in range(2))
    assert all(each["created"] and not each["changed"] for each in first)
    assert all(each["changed"] and not each["created"] for each in second)


def test_a_check_does_not_change_the_org(org: SalesforceEmulator, deployer: Deployer) -> None:
    result = deployer.deploy(whole_package(), checkOnly=True)
    assert (result["status"], result["checkOnly"]) == ("Succeeded", True)
    assert not has_field(org, "Audit__c")


GOOD_AND_BAD_FIELD = (
    f"<CustomObject {XMLNS}>"
    "<fields><fullName>Good__c</fullName><label>Good</label><length>10</length><type>Text</type></fields>"
    "<fields><fullName>Bad__c</fullName><label>Bad</label><type>Text</type></fields></CustomObject>"
)


def test_one_bad_component_rolls_everything_back(org: SalesforceEmulator, deployer: Deployer) -> None:
    package = single_component_package(
        "objects/Opportunity.object", GOOD_AND_BAD_FIELD, "CustomField", "Opportunity.Good__c"
    )
    both = type(package)(package.files, {"CustomField": ("Opportunity.Good__c", "Opportunity.Bad__c")})
    assert deployer.deploy_refusals(both) == ["Must specify 'length' for a CustomField of type Text"]
    assert not has_field(org, "Good__c")
    deployer.deploy(both, rollbackOnError=False)
    assert has_field(org, "Good__c")
    assert not has_field(org, "Bad__c")


def test_a_component_that_the_manifest_does_not_name_is_a_warning_and_not_deployed(
    org: SalesforceEmulator, deployer: Deployer
) -> None:
    result = deployer.deploy(
        single_component_package("objects/Opportunity.object", GOOD_AND_BAD_FIELD, "CustomField", "Opportunity.Good__c")
    )
    assert result["status"] == "Succeeded"
    assert problem_texts(result, "Warning") == ["Not in package.xml"]
    assert not has_field(org, "Bad__c")


def test_every_member_of_the_manifest_must_be_in_the_zip(deployer: Deployer) -> None:
    package = type(whole_package())({}, {"CustomField": ("Opportunity.Gone__c",)})
    (text,) = deployer.deploy_refusals(package)
    assert text.startswith("An object 'Opportunity.Gone__c' of type CustomField was named in package.xml, but was not")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no zip", "INVALID_ZIP"),
        (zip_files({"objects/x.object": b""}), "No package.xml found"),
        (zip_files({"package.xml": b"<Package"}), "Error parsing file"),
        (zip_files({"package.xml": b"<Layout/>"}), "the root element is not Package"),
        (zip_files({"package.xml": f"<Package {XMLNS}><type/></Package>".encode()}), "Error parsing file"),
    ],
)
def test_a_broken_zip_is_refused_as_a_whole(deployer: Deployer, data: bytes, message: str) -> None:
    (text,) = deployer.deploy_refusals(data)
    assert message in text


def test_the_files_of_a_zip_may_stand_in_one_folder(org: SalesforceEmulator, deployer: Deployer) -> None:
    package = single_field_package("Odd__c", "<label>Odd</label><length>9</length><type>Text</type>")
    data = zip_files(
        {f"any/{name}": data for name, data in {**package.files, "package.xml": package.manifest_xml("66.0")}.items()}
    )
    assert deployer.deploy(data)["status"] == "Succeeded"
    assert has_field(org, "Odd__c")


def test_elements_may_stand_in_any_order(deployer: Deployer) -> None:
    package = single_field_package("Odd__c", "<type>Text</type><length>9</length><label>Odd</label>")
    assert deployer.deploy(package)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("classes/A.cls", "x", "Unknown type of file"),
        ("layouts/A.layout", "<Layout", "Error parsing file"),
        ("layouts/A.layout", f"<Profile {XMLNS}/>", "the root element is not Layout"),
        ("layouts/A.layout", f"<Layout {XMLNS}><odd/></Layout>", "Element 'odd'"),
        (
            "objects/Opportunity.object",
            f"<CustomObject {XMLNS}><label>x</label></CustomObject>",
            "does not deploy the element label of a standard object",
        ),
    ],
)
def test_a_file_that_cannot_be_deployed_is_reported(deployer: Deployer, name: str, text: str, message: str) -> None:
    refusals = deployer.deploy_refusals(type(whole_package())({name: text.encode()}, {}))
    assert any(message in each for each in refusals), refusals


def test_only_users_with_the_right_may_deploy(org: SalesforceEmulator) -> None:
    answer = Deployer(org, org.seller).post_zip(whole_package().to_zip("66.0"))
    assert (answer.status, answer.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")
    org.handle(
        Request("POST", "/_control/metadata_rights", body=b'{"username": "sam.seller@partner.example", "has": true}')
    )
    assert Deployer(org, org.seller).post_zip(whole_package().to_zip("66.0")).status == 201
    unknown = org.handle(Request("POST", "/_control/metadata_rights", body=b'{"username": "x", "has": true}'))
    assert unknown.status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "deployRequest", 405),
        ("DELETE", "deployRequest/0Af", 405),
        ("GET", "deployRequest/0Af", 404),
        ("GET", "x", 404),
    ],
)
def test_other_requests_are_refused(deployer: Deployer, method: str, path: str, status: int) -> None:
    assert deployer.send_request(method, path).status == status


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data; boundary=x", b"", 400),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nname="file"\r\n\r\nz\r\n--x\r\nname="entity_content"\r\n\r\n[]\r\n--x--',
            400,
        ),
    ],
)
def test_a_request_without_its_parts_is_refused(deployer: Deployer, kind: str, body: bytes, status: int) -> None:
    assert deployer.send_request("POST", "deployRequest", body, kind).status == status


def test_a_reset_undoes_deployments(org: SalesforceEmulator, deployer: Deployer) -> None:
    deployer.deploy(whole_package())
    org.handle(Request("POST", "/_control/reset"))
    assert not has_field(org, "Audit__c")
    org.handle(Request("POST", "/_control/bare", body=b'{"bare": false}'))
    assert has_field(org, "Audit__c")
