import pytest

from emulators.base.emulator import Fault, FaultKind
from emulators.base.server import Response
from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.metadata_deploy import Deployment, readable_layout_name
from shared.clients.salesforce.metadata_xml import NAMESPACE
from shared.clients.salesforce.source_format import Package, layout_package
from shared.foundation.errors import Ambiguous, NotFound, Rejected, SignInFailed, Unavailable
from tests.unit.clients.salesforce.emulated_org import STANDARD_LAYOUT, EmulatedOrg, product_package
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

DEPLOY = "metadata/deployRequest$"
STATUS = "metadata/deployRequest/"


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(bare=True), fake, salesforce)


def field_package(name: str, field: str) -> Package:
    body = f'<CustomObject xmlns="{NAMESPACE}"><fields><fullName>{name}</fullName>{field}</fields></CustomObject>'
    return Package({"objects/Opportunity.object": body.encode()}, {"CustomField": (f"Opportunity.{name}",)})


def has_field(org: SalesforceEmulator, name: str) -> bool:
    return org.org.model.get("Opportunity").find(name) is not None


def test_a_deployment_is_followed_to_its_end_and_every_state_is_told(org: EmulatedOrg) -> None:
    told: list[Deployment] = []
    ended = org.client.deploy(product_package(), report=told.append)
    assert (ended.done, ended.success, ended.status, ended.problems) == (True, True, "Succeeded", ())
    assert ended.deployed == ended.total == 15
    assert [now.status for now in told] == ["Pending", "InProgress", "Succeeded"]
    assert 0 < told[1].deployed < told[1].total
    assert has_field(org.emulator, "Referral_Identifier__c")
    assert org.slept == [0.5]


def test_a_check_changes_nothing(org: EmulatedOrg) -> None:
    assert org.client.deploy(product_package(), check_only=True).success
    assert not has_field(org.emulator, "Audit__c")


def test_the_same_deployment_again_does_no_harm(org: EmulatedOrg) -> None:
    org.client.deploy(product_package())
    assert org.client.deploy(product_package()).success


def test_a_refusal_names_component_file_and_line_and_leaves_the_org_as_it_was(org: EmulatedOrg) -> None:
    package = field_package("Notes__c", "<label>Notes</label><length>500</length><type>LongTextArea</type>")
    ended = org.client.deploy(package)
    assert (ended.done, ended.success, ended.status) == (True, False, "Failed")
    (problem,) = ended.problems
    assert (problem.type, problem.name, problem.line) == ("CustomField", "Opportunity.Notes__c", 1)
    assert str(problem) == (
        "CustomField Opportunity.Notes__c: Must specify 'visibleLines' for a CustomField of type LongTextArea "
        "(objects/Opportunity.object, line 1)"
    )
    assert not has_field(org.emulator, "Notes__c")


def test_a_second_run_succeeds_after_mending(org: EmulatedOrg) -> None:
    field = "<label>Notes</label><length>500</length><type>LongTextArea</type>"
    assert not org.client.deploy(field_package("Notes__c", field)).success
    assert org.client.deploy(field_package("Notes__c", field + "<visibleLines>3</visibleLines>")).success
    assert has_field(org.emulator, "Notes__c")


def test_a_package_that_cannot_be_read_says_so(org: EmulatedOrg) -> None:
    ended = org.client.deploy(Package({}, {"Layout</name>": ("x",)}))
    assert not ended.success
    assert [problem.type for problem in ended.problems if not problem.is_warning]


def test_a_user_without_the_right_hears_which_one_and_what_to_do(org: EmulatedOrg) -> None:
    org.sign_in(org.emulator.seller)
    for work in (
        lambda: org.client.deploy(product_package()),
        lambda: org.client.layout_names("Opportunity"),
        lambda: org.client.retrieve_layout(STANDARD_LAYOUT),
    ):
        with pytest.raises(Rejected) as caught:
            work()
        assert caught.value.cause.code == "INSUFFICIENT_ACCESS"
        assert "--user" in caught.value.cause.remedy
        assert "Modify Metadata" in caught.value.cause.remedy


def test_a_deployment_whose_start_is_unknown_is_ambiguous(org: EmulatedOrg) -> None:
    org.emulator.faults.append(Fault(FaultKind.DROP_AFTER, path=DEPLOY))
    with pytest.raises(Ambiguous):
        org.client.deploy(product_package())


def test_an_org_that_does_not_answer_for_a_while_deploys_all_the_same(org: EmulatedOrg) -> None:
    org.emulator.faults.append(Fault(FaultKind.ANSWER, path=STATUS, status=503, times=7))
    assert org.client.deploy(product_package()).success


def test_patience_has_an_end(org: EmulatedOrg) -> None:
    org.emulator.faults.append(Fault(FaultKind.ANSWER, path=STATUS, status=503, times=10_000))
    with pytest.raises(Unavailable, match=r"has not finished the deployment 0Af.*Deployment Status in Setup"):
        org.client.deploy(product_package())
    assert 1800 < sum(org.slept) < 1810


def test_a_session_that_expires_on_the_way_is_renewed(org: EmulatedOrg) -> None:
    def expire(now: Deployment) -> None:
        if now.status == "Pending":
            org.emulator.oauth.sessions.clear()

    assert org.client.deploy(product_package(), report=expire).success
    org.emulator.oauth.sessions.clear()
    assert STANDARD_LAYOUT in org.client.layout_names("Opportunity")
    assert len(org.fake.sign_in_requests) == 3


def test_a_session_that_soap_never_accepts_is_a_failed_sign_in(org: EmulatedOrg) -> None:
    org.fake.grant = lambda _: org.fake.token_answer(access_token="00D!nobody")
    with pytest.raises(SignInFailed):
        org.client.layout_names("Opportunity")


def test_layouts_are_those_of_the_object(org: EmulatedOrg) -> None:
    assert org.client.layout_names("Opportunity") == ("Opportunity-Opportunity %28Sales%29 Layout", STANDARD_LAYOUT)
    assert org.client.layout_names("Account") == ()
    assert (
        readable_layout_name("Opportunity-Opportunity %28Sales%29 Layout") == "Opportunity-Opportunity (Sales) Layout"
    )


def test_a_layout_comes_back_as_it_was_deployed(org: EmulatedOrg) -> None:
    layout = org.client.retrieve_layout(STANDARD_LAYOUT)
    changed = layout.replace(b"Opportunity Information", b"The Deal")
    assert changed != layout
    assert org.client.deploy(layout_package(STANDARD_LAYOUT, changed)).success
    assert b"<label>The Deal</label>" in org.client.retrieve_layout(STANDARD_LAYOUT)
    assert org.journal_tags()[-3:] == ["retrieve", "retrieve.status", "retrieve.status"]


def test_a_layout_with_odd_signs_in_its_name_is_found_by_its_full_name(org: EmulatedOrg) -> None:
    assert org.client.retrieve_layout("Opportunity-Opportunity %28Sales%29 Layout").startswith(b"<?xml")


def test_a_layout_that_is_not_there_is_not_found(org: EmulatedOrg) -> None:
    with pytest.raises(NotFound, match=r"no layout Opportunity-Nowhere \(1\)"):
        org.client.retrieve_layout("Opportunity-Nowhere %281%29")


def soap_answer(body: str, status: int = 200) -> Response:
    envelope = "http://schemas.xmlsoap.org/soap/envelope/"
    text = f'<e:Envelope xmlns:e="{envelope}" xmlns="{NAMESPACE}"><e:Body>{body}</e:Body></e:Envelope>'
    return Response(status, text.encode(), {"Content-Type": "text/xml"})


@pytest.mark.parametrize(
    "answer",
    [
        Response(200, b"<html>Down for maintenance</html>", {"Content-Type": "text/html"}),
        Response(200, b"<truncated", {"Content-Type": "text/xml"}),
        Response(200, b"", {}),
        Response(503, b"<html/>", {}),
        soap_answer(""),
        soap_answer("<x xmlns=''/>"),
        soap_answer("<listMetadataResponse/>", 500),
    ],
    ids=lambda answer: str(answer.body[-40:]),
)
def test_an_answer_that_is_no_soap_is_unavailable(org: EmulatedOrg, answer: Response) -> None:
    org.fake.answer_in_turn(answer)
    with pytest.raises(Unavailable):
        org.client.layout_names("Opportunity")


@pytest.mark.parametrize(
    "result",
    [
        "<done>true</done><status>Failed</status>",
        "<done>true</done><zipFile>!!!</zipFile>",
        "<done>true</done><zipFile>UEsDBA==</zipFile>",
    ],
)
def test_a_retrieval_that_failed_is_unavailable(org: EmulatedOrg, result: str) -> None:
    org.fake.answer_in_turn(
        soap_answer("<retrieveResponse><result><id>09S1</id></result></retrieveResponse>"),
        soap_answer(f"<checkRetrieveStatusResponse><result>{result}</result></checkRetrieveStatusResponse>"),
    )
    with pytest.raises(Unavailable, match="could not return"):
        org.client.retrieve_layout(STANDARD_LAYOUT)


@pytest.mark.parametrize(
    "body",
    [{}, [], {"id": "0Af"}, {"id": "../../x", "deployResult": {}}, {"id": 7, "deployResult": {}}, "x"],
    ids=str,
)
def test_a_state_in_another_shape_leaves_the_deployment_unknown(org: EmulatedOrg, body: object) -> None:
    org.fake.answer_in_turn(Response.of(body, 201))
    with pytest.raises(Ambiguous):
        org.client.deploy(product_package())
