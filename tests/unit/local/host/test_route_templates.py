import pytest

from local.host.route_templates import Route


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/events", "api/events", {}),
        ("api/events", "API/Events", {}),
        ("api/events", "api/events/1", None),
        ("items/{id}", "items/7", {"id": "7"}),
        ("items/{id}", "items", None),
        ("items/{id?}", "items", {}),
        ("items/{id?}", "items/7", {"id": "7"}),
        ("items/{id=9}", "items", {"id": "9"}),
        ("items/{id:int}", "items/-7", {"id": "-7"}),
        ("items/{id:int}", "items/seven", None),
        ("items/{id:int}", "items/9999999999", None),
        ("items/{id:long}", "items/9999999999", {"id": "9999999999"}),
        ("items/{id:int:min(5)}", "items/4", None),
        ("items/{id:range(1,3)}", "items/3", {"id": "3"}),
        ("items/{id:guid}", "items/00000000-0000-0000-0000-00000000000g", None),
        (
            "items/{id:guid}",
            "items/11111111-2222-3333-4444-555555555555",
            {"id": "11111111-2222-3333-4444-555555555555"},
        ),
        ("items/{name:alpha}", "items/a1", None),
        ("items/{name:length(2,3)}", "items/abcd", None),
        ("items/{name:regex(^a.c$)}", "items/abc", {"name": "abc"}),
        ("files/{*path}", "files/a/b/c.txt", {"path": "a/b/c.txt"}),
        ("files/{*path}", "files", {}),
        ("{name}.{extension}", "a.b.txt", {"name": "a", "extension": "b.txt"}),
        ("v{version}/x", "v2/x", {"version": "2"}),
        ("{*route}", "", {}),
    ],
)
def test_a_template_matches_a_path_and_returns_its_parameters(
    template: str, path: str, expected: dict[str, str] | None
) -> None:
    assert Route.parse(template).match_path(path) == expected


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("items/{id:prime}", "'prime' is unknown"),
        ("items/{id", "wrong parameter"),
        ("{*path}/more", "catch-all path"),
        ("{id?}/more", "optional id"),
        ("{id}/{ID}", "two parameters have the same name"),
    ],
)
def test_a_wrong_template_is_refused(template: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Route.parse(template)


def test_the_more_specific_template_comes_first() -> None:
    templates = ["{*rest}", "items/{id}", "items/new", "items/v{id}", "items/{id:int}"]

    ranked = sorted(templates, key=lambda template: Route.parse(template).precedence)

    assert ranked == ["items/new", "items/v{id}", "items/{id:int}", "items/{id}", "{*rest}"]
