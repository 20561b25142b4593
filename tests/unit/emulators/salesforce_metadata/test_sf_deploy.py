import pytest

from emulators.base.server import Request
from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.errors import ApiError
from tests.unit.emulators.salesforce_metadata.deploy_bench import (
    DEAL,
    XMLNS,
    Deployer,
    field,
    one,
    problems,
    whole,
    zipped,
)


def has(org: SalesforceEmulator, name: str) -> bool:
    return org.org.model.get("Opportunity").find(name) is not None


def test_a_bare_org_knows_nothing_of_ours(org: SalesforceEmulator) -> None:
    assert not has(org, "Audit__c")
    with pytest.raises(ApiError, match="Audit__c"):
        org.insert("Opportunity", {**DEAL, "Audit__c": "x"})


def test_what_is_deployed_is_there_at_once_for_old_records_too(org: SalesforceEmulator, deployer: Deployer) -> None:
    old = org.insert("Opportunity", DEAL)
    stamp = org.record("Opportunity", old)["SystemModstamp"]
    result = deployer.deploy(whole())
    assert (result["status"], result["numberComponentsDeployed"], result["numberComponentErrors"]) == (
        "Succeeded",
        15,
        0,
    )
    row = org.record("Opportunity", old)
    assert (row["Sync_with_Partner_Center__c"], row["Referral_Identifier__c"], row["Sync_Mark__c"]) == (
        False,
        None,
        None,
    )
    assert row["SystemModstamp"] == stamp
    org.edit("Opportunity", old, {"Sync_Status__c": "Synced", "Referral_Identifier__c": "R-1"})
    assert org.record("Opportunity", old)["Sync_Mark__c"] == "\N{HEAVY CHECK MARK}"


def test_a_deployed_org_is_the_org_that_loads_our_metadata(org: SalesforceEmulator, deployer: Deployer) -> None:
    deployer.deploy(whole())
    loaded = SalesforceEmulator()
    here, there = (each.org.model.get("Opportunity").fields for each in (org, loaded))
    for name, wanted in there.items():
        found = here[name]
        assert (found.kind, found.length, found.unique, found.external_id, found.values, found.help) == (
            wanted.kind, wanted.length, wanted.unique, wanted.external_id, wanted.values, wanted.help,
        )  # fmt: skip
    assert set(here) == set(there)
    assert set(org.org.rules) == set(loaded.org.rules)
    kinds = {"Layout", "PermissionSet", "FlexiPage", "ListView", "ValidationRule"}
    kept = [{key for key in each.deployments.documents.kept if key[0] in kinds} for each in (org, loaded)]
    assert kept[0] == kept[1]


def test_states_follow_each_other(deployer: Deployer) -> None:
    posted = deployer.post(whole().to_zip("66.0")).json()
    assert posted["deployResult"]["status"] == "Pending"
    first, second, third = (deployer.state(posted["id"]) for _ in range(3))
    assert [first["status"], second["status"], third["status"]] == ["InProgress", "Succeeded", "Succeeded"]
    assert (first["done"], first["details"]["componentSuccesses"], second["done"]) == (False, [], True)


def test_the_second_time_components_are_changed_not_created(deployer: Deployer) -> None:
    first, second = (deployer.deploy(whole())["details"]["componentSuccesses"][1:] for _ in range(2))
    assert all(each["created"] and not each["changed"] for each in first)
    assert all(each["changed"] and not each["created"] for each in second)


def test_a_check_leaves_the_org_alone(org: SalesforceEmulator, deployer: Deployer) -> None:
    result = deployer.deploy(whole(), checkOnly=True)
    assert (result["status"], result["checkOnly"]) == ("Succeeded", True)
    assert not has(org, "Audit__c")


TWO = (
    f"<CustomObject {XMLNS}>"
    "<fields><fullName>Good__c</fullName><label>Good</label><length>10</length><type>Text</type></fields>"
    "<fields><fullName>Bad__c</fullName><label>Bad</label><type>Text</type></fields></CustomObject>"
)


def test_one_bad_component_rolls_all_back(org: SalesforceEmulator, deployer: Deployer) -> None:
    package = one("objects/Opportunity.object", TWO, "CustomField", "Opportunity.Good__c")
    both = type(package)(package.files, {"CustomField": ("Opportunity.Good__c", "Opportunity.Bad__c")})
    assert deployer.refusals(both) == ["Must specify 'length' for a CustomField of type Text"]
    assert not has(org, "Good__c")
    deployer.deploy(both, rollbackOnError=False)
    assert has(org, "Good__c")
    assert not has(org, "Bad__c")


def test_what_the_manifest_does_not_name_is_a_warning_and_not_deployed(
    org: SalesforceEmulator, deployer: Deployer
) -> None:
    result = deployer.deploy(one("objects/Opportunity.object", TWO, "CustomField", "Opportunity.Good__c"))
    assert result["status"] == "Succeeded"
    assert problems(result, "Warning") == ["Not in package.xml"]
    assert not has(org, "Bad__c")


def test_what_the_manifest_names_must_be_there(deployer: Deployer) -> None:
    package = type(whole())({}, {"CustomField": ("Opportunity.Gone__c",)})
    (told,) = deployer.refusals(package)
    assert told.startswith("An object 'Opportunity.Gone__c' of type CustomField was named in package.xml, but was not")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"no zip", "INVALID_ZIP"),
        (zipped({"objects/x.object": b""}), "No package.xml found"),
        (zipped({"package.xml": b"<Package"}), "Error parsing file"),
        (zipped({"package.xml": b"<Layout/>"}), "no Package"),
        (zipped({"package.xml": f"<Package {XMLNS}><type/></Package>".encode()}), "Error parsing file"),
    ],
)
def test_a_broken_zip_is_refused_as_a_whole(deployer: Deployer, data: bytes, told: str) -> None:
    (text,) = deployer.refusals(data)
    assert told in text


def test_a_zip_may_hold_all_in_one_folder(org: SalesforceEmulator, deployer: Deployer) -> None:
    package = field("Odd__c", "<label>Odd</label><length>9</length><type>Text</type>")
    data = zipped(
        {f"any/{name}": data for name, data in {**package.files, "package.xml": package.manifest_xml("66.0")}.items()}
    )
    assert deployer.deploy(data)["status"] == "Succeeded"
    assert has(org, "Odd__c")


def test_elements_in_another_order_are_taken_as_the_service_takes_them(deployer: Deployer) -> None:
    package = field("Odd__c", "<type>Text</type><length>9</length><label>Odd</label>")
    assert deployer.deploy(package)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("classes/A.cls", "x", "Unknown type of file"),
        ("layouts/A.layout", "<Layout", "Error parsing file"),
        ("layouts/A.layout", f"<Profile {XMLNS}/>", "it is no Layout"),
        ("layouts/A.layout", f"<Layout {XMLNS}><odd/></Layout>", "Element 'odd'"),
        ("objects/Opportunity.object", f"<CustomObject {XMLNS}><label>x</label></CustomObject>", "deploys no label"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(deployer: Deployer, name: str, text: str, told: str) -> None:
    refusals = deployer.refusals(type(whole())({name: text.encode()}, {}))
    assert any(told in each for each in refusals), refusals


def test_only_who_may_change_metadata_deploys(org: SalesforceEmulator) -> None:
    answer = Deployer(org, org.seller).post(whole().to_zip("66.0"))
    assert (answer.status, answer.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")
    org.handle(
        Request("POST", "/_control/metadata_rights", body=b'{"username": "sam.seller@partner.example", "has": true}')
    )
    assert Deployer(org, org.seller).post(whole().to_zip("66.0")).status == 201
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
    assert deployer.call(method, path).status == status


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
def test_a_form_without_its_parts_is_refused(deployer: Deployer, kind: str, body: bytes, status: int) -> None:
    assert deployer.call("POST", "deployRequest", body, kind).status == status


def test_a_reset_undoes_deployments(org: SalesforceEmulator, deployer: Deployer) -> None:
    deployer.deploy(whole())
    org.handle(Request("POST", "/_control/reset"))
    assert not has(org, "Audit__c")
    org.handle(Request("POST", "/_control/bare", body=b'{"bare": false}'))
    assert has(org, "Audit__c")
