"""
The version of the library as other programs compare it.

It speaks the interface of ovos-bus-client 1.x, so it counts in that line: above every 1.x there
was, below 2. The version of this distribution is that of ``ovos-bus``.
"""

__all__ = ["VERSION_ALPHA", "VERSION_BUILD", "VERSION_MAJOR", "VERSION_MINOR"]

VERSION_MAJOR = 1
VERSION_MINOR = 99
VERSION_BUILD = 0
VERSION_ALPHA = 0

__version__ = f"{VERSION_MAJOR}.{VERSION_MINOR}.{VERSION_BUILD}"
