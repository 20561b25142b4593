"""Rights of an emulated user, as permission sets would give them."""

from collections.abc import Collection

from emulators.salesforce.data.permissions import ObjectRights, Rights
from emulators.salesforce.data.schema import Model


def rights_without(
    model: Model, *, hidden: Collection[str] = (), read_only: Collection[str] = (), objects: Collection[str] = ()
) -> Rights:
    """All rights but those to see or to write these columns (`Account.BillingState`), and to these objects."""
    unseen, fixed = ({name.lower() for name in names} for names in (hidden, read_only))
    paths = {f"{each.name}.{name}".lower() for each in model for name in each.fields}
    return Rights(
        {each.name.lower(): ObjectRights(*[True] * 6) for each in model if each.name not in objects},
        {path: path not in fixed for path in paths if path not in unseen},
    )
