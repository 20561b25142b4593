"""The oracle is apart from the product: an error in the product must not repeat itself in its judge."""

from tests.unit.test_layers import imports_of, module_names

PLAIN = ("tests.simulation.oracle", "tests.simulation.held_values", "tests.simulation.held_back")
JUDGES = [*PLAIN, *(name for name in module_names("tests") if name.startswith("tests.simulation.judges."))]
OWN = ("tests.simulation.held_values.", "tests.simulation.held_back.", "tests.simulation.judges.")


def test_the_oracle_imports_nothing_of_the_product() -> None:
    imported = {name for module in JUDGES for name in imports_of(module)}
    assert len(JUDGES) > len(PLAIN)
    assert all(name.startswith(OWN) for name in imported), sorted(imported)
