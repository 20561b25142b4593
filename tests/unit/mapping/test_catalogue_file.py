"""Reading the portal's list of solutions: the headings and forms that it may have, and what is said of a wrong one."""

import pytest

from shared.domain.solution_catalogue import Solution
from shared.mapping.catalogue_file import MOST_FAULTS, read_catalogue_file

HEADINGS = "Solution Identifier,Solution Name,Type,Publisher Name"
LEDGER = Solution("SOL-1-ABC", 2, "Ledger", "Contoso", "3P")
GUID = "7b1c4c0e-53d0-4c0b-9f53-6b0d5a1f2a10"


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADINGS}\nSOL-1-ABC,Ledger,3P,Contoso\n".encode(),
        f"{HEADINGS}\r\nSOL-1-ABC,Ledger,3P,Contoso\r\n".encode(),
        f"{HEADINGS}\nSOL-1-ABC,Ledger,3P,Contoso\n".encode("utf-8-sig"),
        f"{HEADINGS}\nSOL-1-ABC,Ledger,3P,Contoso\n".encode("utf-16"),
        b"publisher name;TYPE;solution_name;SOLUTION-IDENTIFIER\nContoso;3P; Ledger ;sol-1-abc\n",
        b"Solution Id\tName\tSolution Type\tPublisher\tOffer\nSOL-1-ABC\tLedger\t3P\tContoso\tx\n",
        b'"Solution Identifier","Solution Name","Type","Publisher Name"\n"SOL-1-ABC","Ledger","3P","Contoso"\n\n,,,\n',
    ],
)
def test_a_list_is_read_in_every_form_that_it_has(content: bytes) -> None:
    read = read_catalogue_file(content)
    assert (read.solutions, read.faults) == ((LEDGER,), ())
    assert read.columns == {"id", "name", "type", "publisher"}


def test_yes_and_no_are_understood_and_an_empty_cell_says_nothing() -> None:
    text = "Solution ID,Co-sell Ready,Is Active\nSOL-1,yes,TRUE\nSOL-2,No,0\nSOL-3,,\n"
    found = [(one.co_sell_ready, one.active) for one in read_catalogue_file(text.encode()).solutions]
    assert found == [(True, True), (False, False), (None, None)]


def test_a_cell_with_a_line_break_moves_no_line_number() -> None:
    text = f'{HEADINGS}\nSOL-1-ABC,"Ledger\nand more",3P,Contoso\n{GUID.upper()},Azure,1P,Microsoft\n'
    read = read_catalogue_file(text.encode())
    assert [(one.id, one.line, one.name) for one in read.solutions] == [
        ("SOL-1-ABC", 2, "Ledger and more"), (GUID, 4, "Azure"),
    ]  # fmt: skip


def test_a_name_that_salesforce_cannot_hold_is_cut_and_its_line_is_known() -> None:
    read = read_catalogue_file(f"{HEADINGS}\nSOL-1,{'n' * 90},,\n".encode())
    assert (read.solutions[0].name, read.cut) == ("n" * 80, (2,))


def test_the_same_line_twice_counts_once() -> None:
    assert len(read_catalogue_file(f"{HEADINGS}\nSOL-1,A,,\nsol-1,A,,\n".encode()).solutions) == 1


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty. The first line has the headings: Solution Identifier, Solution Name"),
        (b"\xef\xbb\xbf\n\n", "is empty."),
        (HEADINGS.encode(), "lists no solution below its headings."),
        (b"Offer,Name\nSOL-1,A\n", "line 1: no column has the ids of the solutions; the headings are: Offer, Name."),
        (b"Solution ID,Solution-Id\nSOL-1,SOL-1\n", "line 1: the heading 'Solution ID' stands there twice."),
        (b"Solution ID,Name\nSOL-1,A\n,B\n", "line 3: has no solution id. Enter one such as SOL-15974-MQF"),
        (b"Solution ID\nSOL-1\nLedger\n", "line 3: 'Ledger' is no solution id. An id looks like SOL-15974-MQF"),
        (b"Solution ID,Name\nSOL-1,A\nSOL-1,B\n", "line 3: SOL-1 stands on line 2 with other values."),
        (b"Solution ID,Active\nSOL-1,maybe\n", "line 2: Active is 'maybe'. Write yes or no"),
        (b"Solution ID,Cosell ready\nSOL-1,perhaps\n", "line 2: Co-sell Ready is 'perhaps'."),
        (b"Solution ID,Type\nSOL-1," + b"t" * 41 + b"\n", "line 2: Solution Type has more than 40 characters."),
        (b"Solution ID,Name\nSOL-1,A\nSOL-2,M\xfcller\n", "line 3: is no UTF-8 text. Save the file as CSV UTF-8."),
        (b'Solution ID,Name\nSOL-1,"A"b\n', "line 2: "),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_a_remedy(content: bytes, fault: str) -> None:
    read = read_catalogue_file(content)
    assert read.solutions == ()
    assert any(fault in one for one in read.faults), read.faults


def test_all_wrong_lines_are_named_at_once_up_to_a_limit() -> None:
    faults = read_catalogue_file(("Solution ID\n" + "no id\n" * 30).encode()).faults
    assert len(faults) == MOST_FAULTS + 1
    assert faults[-1] == "and 10 more lines are wrong"
