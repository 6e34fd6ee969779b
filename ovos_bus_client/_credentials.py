"""What a client shows to be let in: a token, never in a URL."""

from __future__ import annotations

import logging
import os

from ovos_bus_client._core.address import unix_path
from ovos_bus_client._core.backoff import is_local
from ovos_bus_client.conf import MessageBusConfig, load_token

log = logging.getLogger(__name__)

# Of this process alone, and visible to its user alone; stronger than any file.
VARIABLE = "OVOS_BUS_TOKEN"


def headers(config: MessageBusConfig) -> dict[str, str]:
    """
    Return the headers with which a client shows its token; none without a token.

    Args:
        config: Where the bus is. A token that would travel there in clear text is a warning.

    Raises:
        WrongSetting: If what is set is no token; the error does not tell it.
    """
    token = load_token(os.environ.get(VARIABLE))
    if token is None:
        return {}
    host = config.host
    if not (config.ssl or is_local(host) or unix_path(host)):
        log.warning("the token travels to %s in clear text; websocket.ssl would encrypt it", host)
    return {"Authorization": f"Bearer {token}"}
