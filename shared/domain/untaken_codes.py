"""The codes of members that one side does not have for now. They choose the sentence for sellers."""

NO_USER, INACTIVE_USER, NO_CONTACT, REFUSED_ROW = "no_user", "inactive_user", "no_contact", "row_refused"
OWN_USER = "own_user"
FIXED_ADDRESS = "contact_address_fixed"
UNTAKEN = frozenset({NO_USER, INACTIVE_USER, OWN_USER, NO_CONTACT, FIXED_ADDRESS, REFUSED_ROW})
"""What may end by itself, so it is tried again each hour."""
INACTIVE_SOLUTION = "solution_inactive"
"""A solution that the catalogue of the org has as inactive: Partner Center does not get it."""
