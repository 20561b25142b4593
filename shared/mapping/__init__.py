"""The mapping file: its schema, its checks, and the translation between both systems and a deal."""
