"""Send every remote call by the same rules: a total deadline, our own trust, no cookies, no proxy of the environment.

`deadline` needs only the standard library. `session` imports `requests`, `client` imports `httpx`, and `exchange` and
`connections` import `httpcore`, so import these only where they are needed.
"""
