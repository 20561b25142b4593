"""The oracle is apart from the product: an error in the product must not repeat itself in its judge."""

from tests.unit.test_layers import imports_of

JUDGES = ("tests.simulation.oracle", "tests.simulation.held_values")


def test_the_oracle_imports_nothing_of_the_product() -> None:
    imported = {name for module in JUDGES for name in imports_of(module)}
    assert all(name.startswith("tests.simulation.held_values.") for name in imported), sorted(imported)
