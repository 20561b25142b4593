"""The scripts that the builds are compared with: what developers write who only need the values on the other side.

They are written as fairly as we can: open connections are kept, nothing is read that is not needed, and lists are read
and written in the largest pages that the services allow. They leave out what the connector adds: no write is
conditional, nothing is remembered, nothing is repeated after a fault, and of two edits of one value the last one wins.

Each is a program of its own. It reads one line of JSON, a `Task`, and prints the seconds from its first call to its
last.
"""
