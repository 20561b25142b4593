"""The codes of members for whom Salesforce has no row. They choose the sentence for sellers."""

NO_USER, INACTIVE_USER, NO_CONTACT, REFUSED_ROW = "no_user", "inactive_user", "no_contact", "row_refused"
UNTAKEN = frozenset({NO_USER, INACTIVE_USER, NO_CONTACT, REFUSED_ROW})
"""What may end by itself, so it is tried again each hour."""
