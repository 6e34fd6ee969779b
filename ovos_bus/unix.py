"""
A Unix socket: a door that is a file, so that the file system says who may come in.

A bus that was killed leaves its file behind, and nobody can listen there until it is gone. It is
removed only if nobody listens on it; a file that is no socket is never touched.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import os
import socket
import stat
import time
from collections.abc import Iterator

# How many newcomers may wait to be let in, as tornado has it for TCP.
BACKLOG = 128

# How long another bus may take to start at the same place before we give up, in seconds.
LOCK_SECONDS = 5.0

# Who may connect while owner and mode are not yet what they are to be: nobody but us.
_PRIVATE = 0o177


class UnixSocket:
    """
    A listening Unix socket and its file.

    Attributes:
        path: The file, without ``~``.
        socket: It listens, and does not block.
    """

    def __init__(self, path: str, mode: int, group: str) -> None:
        """
        Args:
            path: Where the file is to be. Its folder has to be there.
            mode: Who may connect: the permissions of the file. Writing is connecting.
            group: Name or number of the file's group; an empty one leaves what the system takes.

        Raises:
            OSError: If somebody listens there, or something else is in the way, or the folder
                lets anybody put another file into the place of ours.
        """
        self.path = os.path.expanduser(path)
        with _alone_in(os.path.dirname(self.path)):
            _make_room(self.path)
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self._bind(mode, group)
                self.socket.listen(BACKLOG)
            except BaseException:
                self.socket.close()
                raise
            self._identity = _identity(self.path)
        self.socket.setblocking(False)

    def remove(self) -> None:
        """Remove the file, unless somebody has put another into its place."""
        with contextlib.suppress(OSError):
            if _identity(self.path) == self._identity:
                os.unlink(self.path)

    def _bind(self, mode: int, group: str) -> None:
        before = os.umask(_PRIVATE)
        try:
            self.socket.bind(self.path)
        finally:
            os.umask(before)
        try:
            if group:
                os.chown(self.path, -1, _group_number(group), follow_symlinks=False)
            os.chmod(self.path, mode)
        except OSError:
            os.unlink(self.path)
            raise


def _make_room(path: str) -> None:
    """
    Remove the file of a bus that is gone.

    Raises:
        OSError: If it is no socket, or not certain that nobody listens on it.
    """
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise OSError(errno.EEXIST, "there is a file that is no socket; it is left alone")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except BlockingIOError:  # so many wait to be let in that there is no room for us
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE)) from None
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


@contextlib.contextmanager
def _alone_in(folder: str) -> Iterator[None]:
    """
    Keep other buses from starting in a folder at the same time: each would take the other's new
    file for one that is left over.

    Raises:
        OSError: If the folder is not there or not safe, or is locked for too long.
    """
    try:
        descriptor = os.open(folder or "/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as why:
        raise OSError(why.errno, f"there is no folder {folder}; make it") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise OSError(
                errno.EPERM, f"anybody may replace what is in {folder}; `chmod o-w` would end that"
            )
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise OSError(errno.EBUSY, f"another program has locked {folder}") from None
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _group_number(group: str) -> int:
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise OSError(errno.EINVAL, f"there is no group {group!r} (unix_socket_group)") from None


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino
