"""The mapping file and the translation of both systems' shapes to and from a deal."""
