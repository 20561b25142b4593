import pytest

from emulators.base.emulator import Fault, FaultKind
from emulators.base.server import Response
from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.metadata_deploy import Deployment, readable_layout_name
from shared.clients.salesforce.metadata_xml import NAMESPACE
from shared.clients.salesforce.source_format import Package, layout_package
from shared.foundation.errors import Ambiguous, NotFound, Rejected, SignInFailed, Unavailable
from tests.unit.clients.salesforce.emulated_org import LAYOUT, Bench, whole_package
from tests.unit.clients.salesforce.fake_salesforce import Fake

DEPLOY = "metadata/deployRequest$"
STATUS = "metadata/deployRequest/"


@pytest.fixture
def bench(fake: Fake, salesforce: SalesforceClient) -> Bench:
    return Bench(SalesforceEmulator(bare=True), fake, salesforce)


def field_package(name: str, field: str) -> Package:
    body = f'<CustomObject xmlns="{NAMESPACE}"><fields><fullName>{name}</fullName>{field}</fields></CustomObject>'
    return Package({"objects/Opportunity.object": body.encode()}, {"CustomField": (f"Opportunity.{name}",)})


def has(org: SalesforceEmulator, name: str) -> bool:
    return org.org.model.get("Opportunity").find(name) is not None


def test_a_deployment_is_followed_to_its_end_and_every_state_is_told(bench: Bench) -> None:
    told: list[Deployment] = []
    ended = bench.client.deploy(whole_package(), report=told.append)
    assert (ended.done, ended.success, ended.status, ended.problems) == (True, True, "Succeeded", ())
    assert ended.deployed == ended.total == 15
    assert [now.status for now in told] == ["Pending", "InProgress", "Succeeded"]
    assert 0 < told[1].deployed < told[1].total
    assert has(bench.org, "Referral_Identifier__c")
    assert bench.slept == [0.5]


def test_a_check_changes_nothing(bench: Bench) -> None:
    assert bench.client.deploy(whole_package(), check_only=True).success
    assert not has(bench.org, "Audit__c")


def test_the_same_deployment_again_does_no_harm(bench: Bench) -> None:
    bench.client.deploy(whole_package())
    assert bench.client.deploy(whole_package()).success


def test_a_refusal_names_component_file_and_line_and_leaves_the_org_as_it_was(bench: Bench) -> None:
    package = field_package("Notes__c", "<label>Notes</label><length>500</length><type>LongTextArea</type>")
    ended = bench.client.deploy(package)
    assert (ended.done, ended.success, ended.status) == (True, False, "Failed")
    (problem,) = ended.problems
    assert (problem.type, problem.name, problem.line) == ("CustomField", "Opportunity.Notes__c", 1)
    assert str(problem) == (
        "CustomField Opportunity.Notes__c: Must specify 'visibleLines' for a CustomField of type LongTextArea "
        "(objects/Opportunity.object, line 1)"
    )
    assert not has(bench.org, "Notes__c")


def test_a_second_run_succeeds_after_mending(bench: Bench) -> None:
    field = "<label>Notes</label><length>500</length><type>LongTextArea</type>"
    assert not bench.client.deploy(field_package("Notes__c", field)).success
    assert bench.client.deploy(field_package("Notes__c", field + "<visibleLines>3</visibleLines>")).success
    assert has(bench.org, "Notes__c")


def test_a_package_that_cannot_be_read_says_so(bench: Bench) -> None:
    ended = bench.client.deploy(Package({}, {"Layout</name>": ("x",)}))
    assert not ended.success
    assert [problem.type for problem in ended.problems if not problem.is_warning]


def test_a_user_without_the_right_hears_which_one_and_what_to_do(bench: Bench) -> None:
    bench.sign_in(bench.org.seller)
    for work in (
        lambda: bench.client.deploy(whole_package()),
        lambda: bench.client.layout_names("Opportunity"),
        lambda: bench.client.retrieve_layout(LAYOUT),
    ):
        with pytest.raises(Rejected) as caught:
            work()
        assert caught.value.cause.code == "INSUFFICIENT_ACCESS"
        assert "--user" in caught.value.cause.remedy
        assert "Modify Metadata" in caught.value.cause.remedy


def test_a_deployment_whose_start_is_unknown_is_ambiguous(bench: Bench) -> None:
    bench.org.faults.append(Fault(FaultKind.DROP_AFTER, path=DEPLOY))
    with pytest.raises(Ambiguous):
        bench.client.deploy(whole_package())


def test_an_org_that_does_not_answer_for_a_while_deploys_all_the_same(bench: Bench) -> None:
    bench.org.faults.append(Fault(FaultKind.ANSWER, path=STATUS, status=503, times=7))
    assert bench.client.deploy(whole_package()).success


def test_patience_has_an_end(bench: Bench) -> None:
    bench.org.faults.append(Fault(FaultKind.ANSWER, path=STATUS, status=503, times=10_000))
    with pytest.raises(Unavailable, match=r"has not finished the deployment 0Af.*Deployment Status in Setup"):
        bench.client.deploy(whole_package())
    assert 1800 < sum(bench.slept) < 1810


def test_a_session_that_expires_on_the_way_is_renewed(bench: Bench) -> None:
    def expire(now: Deployment) -> None:
        if now.status == "Pending":
            bench.org.oauth.sessions.clear()

    assert bench.client.deploy(whole_package(), report=expire).success
    bench.org.oauth.sessions.clear()
    assert LAYOUT in bench.client.layout_names("Opportunity")
    assert len(bench.fake.sign_ins) == 3


def test_a_session_that_soap_never_accepts_is_a_failed_sign_in(bench: Bench) -> None:
    bench.fake.grant = lambda _: bench.fake.token(access_token="00D!nobody")
    with pytest.raises(SignInFailed):
        bench.client.layout_names("Opportunity")


def test_layouts_are_those_of_the_object(bench: Bench) -> None:
    assert bench.client.layout_names("Opportunity") == ("Opportunity-Opportunity %28Sales%29 Layout", LAYOUT)
    assert bench.client.layout_names("Account") == ()
    assert (
        readable_layout_name("Opportunity-Opportunity %28Sales%29 Layout") == "Opportunity-Opportunity (Sales) Layout"
    )


def test_a_layout_comes_back_as_it_was_deployed(bench: Bench) -> None:
    layout = bench.client.retrieve_layout(LAYOUT)
    changed = layout.replace(b"Opportunity Information", b"The Deal")
    assert changed != layout
    assert bench.client.deploy(layout_package(LAYOUT, changed)).success
    assert b"<label>The Deal</label>" in bench.client.retrieve_layout(LAYOUT)
    assert bench.tags()[-3:] == ["retrieve", "retrieve.status", "retrieve.status"]


def test_a_layout_with_odd_signs_in_its_name_is_found_by_its_full_name(bench: Bench) -> None:
    assert bench.client.retrieve_layout("Opportunity-Opportunity %28Sales%29 Layout").startswith(b"<?xml")


def test_a_layout_that_is_not_there_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound, match=r"no layout Opportunity-Nowhere \(1\)"):
        bench.client.retrieve_layout("Opportunity-Nowhere %281%29")


def soap(body: str, status: int = 200) -> Response:
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
        soap(""),
        soap("<x xmlns=''/>"),
        soap("<listMetadataResponse/>", 500),
    ],
    ids=lambda answer: str(answer.body[-40:]),
)
def test_an_answer_that_is_no_soap_is_unavailable(bench: Bench, answer: Response) -> None:
    bench.fake.script(answer)
    with pytest.raises(Unavailable):
        bench.client.layout_names("Opportunity")


@pytest.mark.parametrize(
    "result",
    [
        "<done>true</done><status>Failed</status>",
        "<done>true</done><zipFile>!!!</zipFile>",
        "<done>true</done><zipFile>UEsDBA==</zipFile>",
    ],
)
def test_a_retrieval_that_failed_is_unavailable(bench: Bench, result: str) -> None:
    bench.fake.script(
        soap("<retrieveResponse><result><id>09S1</id></result></retrieveResponse>"),
        soap(f"<checkRetrieveStatusResponse><result>{result}</result></checkRetrieveStatusResponse>"),
    )
    with pytest.raises(Unavailable, match="could not hand over"):
        bench.client.retrieve_layout(LAYOUT)


@pytest.mark.parametrize(
    "body",
    [{}, [], {"id": "0Af"}, {"id": "../../x", "deployResult": {}}, {"id": 7, "deployResult": {}}, "x"],
    ids=str,
)
def test_a_state_in_another_shape_leaves_the_deployment_unknown(bench: Bench, body: object) -> None:
    bench.fake.script(Response.of(body, 201))
    with pytest.raises(Ambiguous):
        bench.client.deploy(whole_package())
