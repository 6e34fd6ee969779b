"""
Attacks on a running daemon, and witnesses who would notice.

``witness.py`` is a pair of clients in a process of its own, ``arena.py`` judges by what they saw,
and the ``test_*.py`` are tables of attacks. Everything speaks through plain sockets: no library of
ours stands between an attack and the daemon, or between the daemon and a witness.
"""
