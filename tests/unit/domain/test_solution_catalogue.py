"""What a list of solutions changes in the catalogue of an org."""

from shared.domain.solution_catalogue import (
    CHANGED,
    CREATED,
    DEACTIVATED,
    CatalogueChange,
    Record,
    Solution,
    changes_of,
)


def held(solution_id: str, **values: object) -> Record:
    record = {"Name": "A", "Publisher__c": None, "Solution_Type__c": None, "Co_sell_Ready__c": True, "Active__c": True}
    return {"Solution_Id__c": solution_id, **record, **values}


def changes(*listed: Solution, in_org: tuple[Record, ...] = (), deactivate: bool = False) -> list[CatalogueChange]:
    return list(changes_of(listed, in_org, deactivate_missing=deactivate))


def test_a_new_solution_is_active_and_ready_unless_the_list_says_otherwise() -> None:
    new, unready = changes(Solution("SOL-1", 2), Solution("SOL-2", 3, "B", co_sell_ready=False, active=False))
    assert (new.line, new.kind, new.values) == (
        2,
        CREATED,
        {"Name": "SOL-1", "Co_sell_Ready__c": True, "Active__c": True},
    )
    assert unready.values == {"Name": "B", "Co_sell_Ready__c": False, "Active__c": False}


def test_only_what_differs_is_written_and_an_empty_cell_changes_nothing() -> None:
    in_org = (held("SOL-1", Publisher__c="Contoso"), held("sol-2"))
    assert changes(Solution("SOL-1", 2, "A"), Solution("SOL-2", 3, "B"), in_org=in_org) == [
        CatalogueChange("sol-2", CHANGED, {"Name": "B"}, 3)
    ]


def test_a_solution_that_the_list_lacks_stays_unless_a_person_asks() -> None:
    in_org = (held("SOL-1"), held("SOL-2"), held("SOL-3", Active__c=False), held("", Name="no id"))
    assert changes(Solution("SOL-1", 2), in_org=in_org) == []
    assert changes(Solution("SOL-1", 2), in_org=in_org, deactivate=True) == [
        CatalogueChange("SOL-2", DEACTIVATED, {"Active__c": False})
    ]


def test_a_solution_that_a_person_made_inactive_stays_so_unless_the_list_decides() -> None:
    in_org = (held("SOL-1", Active__c=False),)
    assert changes(Solution("SOL-1", 2), in_org=in_org) == []
    [back] = changes(Solution("SOL-1", 2), in_org=in_org, deactivate=True)
    assert (back.kind, back.values) == (CHANGED, {"Active__c": True})


def test_two_lines_say_the_same_of_a_solution_if_nothing_but_their_number_differs() -> None:
    first = Solution("SOL-1", 2, "A")
    assert first.says_the_same(Solution("SOL-1", 7, "A"))
    assert not first.says_the_same(Solution("SOL-1", 2, "B"))
