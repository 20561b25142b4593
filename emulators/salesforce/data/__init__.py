"""The records of the org: schema, saves, and the rules that the service applies to them."""
