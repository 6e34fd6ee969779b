"""
What can go wrong in a measurement. A benchmark that meets one of these prints no figure.

::

    BenchError
    ├── NotInstalled     the peer's environment could not be made
    ├── ProcessFailed    a bus or a client did not come up, or did not do its work
    ├── WrongDelivery    a client received something else than was sent
    ├── Stalled          nothing arrives any more
    └── Closed           the bus ended a connection
"""

from __future__ import annotations


class BenchError(Exception):
    """Base of all errors of the benchmarks."""


class NotInstalled(BenchError):
    """
    The peer's environment could not be made.

    Attributes:
        command: The command that failed.
        output: What it printed.
    """

    def __init__(self, command: str, output: str) -> None:
        self.command, self.output = command, output

    def __str__(self) -> str:
        return f"{self.command} failed:\n{self.output}"


class ProcessFailed(BenchError):
    """
    A bus or a client did not come up, or did not do its work.

    Attributes:
        name: Which process.
        reason: What was waited for, or how it ended.
        output: The last of what it printed.
    """

    def __init__(self, name: str, reason: str, output: str) -> None:
        self.name, self.reason, self.output = name, reason, output

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}\n{self.output}"


class WrongDelivery(BenchError):
    """
    A client received something else than was sent.

    Attributes:
        client: Its number, from 0.
        position: How many bytes it had received before.
        problem: What is wrong with those that followed.
    """

    def __init__(self, client: int, position: int, problem: str) -> None:
        self.client, self.position, self.problem = client, position, problem

    def __str__(self) -> str:
        return f"client {self.client}, after {self.position} right bytes: {self.problem}"


class Stalled(BenchError):
    """
    Nothing arrives any more, though not everything has arrived.

    Attributes:
        seconds: How long nothing came.
        client: The number of the client that is furthest behind, from 0.
        missing: How many bytes it lacks.
    """

    def __init__(self, seconds: float, client: int, missing: int) -> None:
        self.seconds, self.client, self.missing = seconds, client, missing

    def __str__(self) -> str:
        return (
            f"nothing arrived for {self.seconds:.0f} s, "
            f"and client {self.client} lacks {self.missing} bytes"
        )


class Closed(BenchError):
    """
    The bus ended a connection, or did not let it in.

    Attributes:
        reason: What the bus did.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __str__(self) -> str:
        return self.reason
