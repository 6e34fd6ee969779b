"""
Why there is no connection, in words that name the remedy.

websocket-client shows all headers of an answer and tornado none of its text, and OpenSSL names the
line of its source. Whoever reads a log wants to know what to change.
"""

from __future__ import annotations

import re

# How much of what the other side says is shown.
REASON_CHARS = 200

# Statuses that a bus answers with, and what helps, unless the answer says it.
_REMEDIES = {
    401: "it is websocket.token or OVOS_BUS_TOKEN, and `ovos-messagebus token NAME` makes one",
    403: "the log of the bus says which setting would let us in",
    404: "websocket.route says where on that server the bus is",
    503: "the bus stops, or max_connections is too small",
}

_UNTRUSTED = (
    "its certificate is not trusted, {}; websocket.ssl_ca names a file that vouches for it, or "
    "websocket.ssl_fingerprint its key, which the log of the bus shows"
)
_NO_TLS = "it hung up on TLS; if it speaks none, websocket.ssl is false"


def in_words(problem: object) -> str:
    """
    Return why a connection failed, without tokens, headers, errno numbers and representations.

    Args:
        problem: What was raised, by the system, by websocket-client or by tornado; anything else
            is shown as its text.
    """
    if status := _status(problem):
        return _refusal(status, problem)
    # What OpenSSL raises; a subclass of OSError whose strerror holds all of the above.
    if verdict := getattr(problem, "verify_message", None):
        return _UNTRUSTED.format(_printable(str(verdict)))
    if getattr(problem, "library", None) == "SSL":
        return _NO_TLS
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return str(problem) or type(problem).__name__


def is_answer(problem: object) -> bool:
    """Tell whether somebody is there who does not let us in, or whom we do not trust."""
    # A certificate that is not trusted is both; to import ssl for that takes longer than to dial.
    untrusted = isinstance(problem, OSError) and isinstance(problem, ValueError)
    return untrusted or bool(_status(problem)) or getattr(problem, "library", None) == "SSL"


def reason(status: int, body: bytes | None) -> str:
    """
    Return what a server says of its refusal, without the status. Hostile until it is escaped.

    Args:
        status: The HTTP status, which our bus repeats in its text.
        body: What it answered.
    """
    first = (body or b"").decode(errors="backslashreplace").strip().partition("\n")[0].strip()
    return re.sub(rf"^{status} [A-Za-z -]*(: |$)", "", first)


def remedy(status: int, told: str) -> str:
    """
    Return what would help; nothing if nobody knows, or if it was told already.

    Args:
        status: The HTTP status.
        told: The reason that the server gave.
    """
    known = _REMEDIES.get(status, "")
    return "" if re.search("OVOS_BUS_TOKEN|allowed_|max_connections", told) else known


def _status(problem: object) -> int:
    """Return the HTTP status that a problem is about; 0 if it is about none."""
    status = getattr(problem, "status_code", None) or getattr(problem, "code", None)
    # tornado says 599 for no answer at all
    return status if isinstance(status, int) and 300 <= status < 599 else 0


def _refusal(status: int, problem: object) -> str:
    body = getattr(problem, "resp_body", None) or getattr(
        getattr(problem, "response", None), "body", None
    )
    told = _printable(reason(status, body if isinstance(body, bytes) else None))
    parts = ": ".join(filter(None, (f"HTTP {status}", told)))
    return "; ".join(filter(None, (parts, remedy(status, told))))


def _printable(text: str) -> str:
    shown = ascii(text)[1:-1].replace("\\'", "'")
    return shown if len(shown) <= REASON_CHARS else f"{shown[:REASON_CHARS]}..."
