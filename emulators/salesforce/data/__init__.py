"""The data of the org: its schema, its records, and the checks and changes that the service makes on a save."""
