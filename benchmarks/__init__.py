"""`make bench`: measures this build, the commit f9a8dde and two plain scripts on the same emulated systems."""
