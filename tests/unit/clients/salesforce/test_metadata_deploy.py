import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Response
from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.metadata_deploy import Deployment, layout_title
from shared.clients.salesforce.metadata_xml import NAMESPACE
from shared.clients.salesforce.source_format import Package, layout_package
from shared.foundation.errors import Ambiguous, NotFound, Rejected, SignInFailed, Unavailable
from tests.unit.clients.salesforce.emulated_org import STANDARD_LAYOUT, EmulatedOrg, product_package
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce
from tests.unit.emulators.salesforce.control_calls import control

DEPLOY = "metadata/deployRequest$"
STATUS = "metadata/deployRequest/"


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(bare=True), fake, salesforce)


def field_package(name: str, field: str) -> Package:
    body = f'<CustomObject xmlns="{NAMESPACE}"><fields><fullName>{name}</fullName>{field}</fields></CustomObject>'
    return Package({"objects/Opportunity.object": body.encode()}, {"CustomField": (f"Opportunity.{name}",)})


def has_field(org: SalesforceEmulator, name: str) -> bool:
    return org.org.model.get("Opportunity").find_field(name) is not None


def test_deploy_waits_for_the_end_and_reports_every_state(org: EmulatedOrg) -> None:
    states: list[Deployment] = []
    result = org.client.deploy(product_package(), report=states.append)
    assert (result.done, result.success, result.status, result.problems) == (True, True, "Succeeded", ())
    assert result.deployed == result.total == product_package().member_count
    assert [now.status for now in states] == ["Pending", "InProgress", "Succeeded"]
    assert 0 < states[1].deployed < states[1].total
    assert has_field(org.emulator, "Referral_Identifier__c")
    assert org.slept == [0.5]


def test_a_check_changes_nothing(org: EmulatedOrg) -> None:
    assert org.client.deploy(product_package(), check_only=True).success
    assert not has_field(org.emulator, "Audit__c")


def test_deploying_again_does_no_harm(org: EmulatedOrg) -> None:
    org.client.deploy(product_package())
    assert org.client.deploy(product_package()).success


def test_production_takes_the_package(org: EmulatedOrg) -> None:
    control(org.emulator, "org_kind", kind="production")
    assert org.client.deploy(product_package(), check_only=True).success
    assert org.client.deploy(product_package()).success


def test_a_refusal_names_component_file_and_line_and_leaves_the_org_as_it_was(org: EmulatedOrg) -> None:
    package = field_package("Notes__c", "<label>Notes</label><length>500</length><type>LongTextArea</type>")
    result = org.client.deploy(package)
    assert (result.done, result.success, result.status) == (True, False, "Failed")
    (problem,) = result.problems
    assert (problem.type, problem.name, problem.line) == ("CustomField", "Opportunity.Notes__c", 1)
    assert str(problem) == (
        "CustomField Opportunity.Notes__c: Must specify 'visibleLines' for a CustomField of type LongTextArea "
        "(objects/Opportunity.object, line 1)"
    )
    assert not has_field(org.emulator, "Notes__c")


def test_a_second_run_succeeds_after_the_package_was_corrected(org: EmulatedOrg) -> None:
    field = "<label>Notes</label><length>500</length><type>LongTextArea</type>"
    assert not org.client.deploy(field_package("Notes__c", field)).success
    assert org.client.deploy(field_package("Notes__c", field + "<visibleLines>3</visibleLines>")).success
    assert has_field(org.emulator, "Notes__c")


def test_a_package_that_the_org_cannot_read_fails_with_a_problem(org: EmulatedOrg) -> None:
    result = org.client.deploy(Package({}, {"Layout</name>": ("x",)}))
    assert not result.success
    assert [problem.type for problem in result.problems if not problem.is_warning]


def test_a_missing_right_is_named_with_a_remedy(org: EmulatedOrg) -> None:
    org.sign_in(org.emulator.seller)
    for work in (
        lambda: org.client.deploy(product_package()),
        lambda: org.client.layout_names("Opportunity"),
        lambda: org.client.retrieve_layout(STANDARD_LAYOUT),
    ):
        with pytest.raises(Rejected) as caught:
            work()
        assert caught.value.cause.code == "INSUFFICIENT_ACCESS"
        assert "Sign in as a Salesforce administrator" in caught.value.cause.remedy
        assert "Modify Metadata" in caught.value.cause.remedy


def test_a_deployment_whose_start_is_unknown_is_ambiguous(org: EmulatedOrg) -> None:
    org.emulator.faults.append(Fault(FaultKind.DROP_AFTER, path=DEPLOY))
    with pytest.raises(Ambiguous):
        org.client.deploy(product_package())


def test_deploy_continues_after_polls_without_an_answer(org: EmulatedOrg) -> None:
    org.emulator.faults.append(Fault(FaultKind.ANSWER, path=STATUS, status=503, times=7))
    assert org.client.deploy(product_package()).success


@pytest.mark.slow
def test_deploy_gives_up_after_half_an_hour(org: EmulatedOrg) -> None:
    org.emulator.faults.append(Fault(FaultKind.ANSWER, path=STATUS, status=503, times=10_000))
    with pytest.raises(Unavailable, match=r"has not finished the deployment 0Af.*Deployment Status in Setup"):
        org.client.deploy(product_package())
    assert 1800 < sum(org.slept) < 1810


def test_a_session_that_expires_during_a_deployment_is_renewed(org: EmulatedOrg) -> None:
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


def test_only_layouts_of_the_object_are_listed(org: EmulatedOrg) -> None:
    assert org.client.layout_names("Opportunity") == ("Opportunity-Opportunity %28Sales%29 Layout", STANDARD_LAYOUT)
    assert org.client.layout_names("Account") == ()
    assert layout_title("Opportunity-Opportunity %28Sales%29 Layout") == "Opportunity-Opportunity (Sales) Layout"


def test_a_layout_comes_back_as_it_was_deployed(org: EmulatedOrg) -> None:
    layout = org.client.retrieve_layout(STANDARD_LAYOUT)
    changed = layout.replace(b"Opportunity Information", b"The Deal")
    assert changed != layout
    assert org.client.deploy(layout_package(STANDARD_LAYOUT, changed)).success
    assert b"<label>The Deal</label>" in org.client.retrieve_layout(STANDARD_LAYOUT)
    assert org.journal_tags()[-3:] == ["retrieve", "retrieve.status", "retrieve.status"]


def test_a_layout_with_parentheses_in_its_name_is_found(org: EmulatedOrg) -> None:
    assert org.client.retrieve_layout("Opportunity-Opportunity %28Sales%29 Layout").startswith(b"<?xml")


def test_a_missing_layout_raises_not_found(org: EmulatedOrg) -> None:
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
def test_an_answer_that_is_not_soap_is_unavailable(org: EmulatedOrg, answer: Response) -> None:
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
def test_an_unreadable_state_makes_the_deployment_ambiguous(org: EmulatedOrg, body: object) -> None:
    org.fake.answer_in_turn(Response.of(body, 201))
    with pytest.raises(Ambiguous):
        org.client.deploy(product_package())
