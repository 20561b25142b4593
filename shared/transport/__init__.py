"""How every remote call travels: our own trust, nothing of the environment, no cookies, one deadline for all of it.

`deadline` needs the standard library alone; `session` brings `requests` and `client` brings `httpx`, so import those
two late.
"""
