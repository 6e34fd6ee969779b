"""How long the clients wait for what, in seconds."""

from __future__ import annotations

# How long emit() waits for somebody else to start the client.
START_TIMEOUT = 10.0

# A bus that is silent for so long is asked, and after so much longer it is dead, whatever its
# socket says.
PING_INTERVAL = 20.0
PING_TIMEOUT = 10.0

# A bus that takes nothing for so long, or stops in the middle of a frame, is dead, too.
SOCKET_TIMEOUT = 30.0

# A connection that is lost sooner did not end the outage: a bus that greets and hangs up, again and
# again, gets one warning, and fewer and fewer attempts.
LASTING = 1.0

# How long close() waits for the bus to answer the goodbye, and then for the reader to end.
GOODBYE_TIMEOUT = 1.0
CLOSE_TIMEOUT = 5.0

# How often flush() asks again whether everything has arrived.
FLUSH_INTERVAL = 0.5

# A thread that is about to dial has no socket yet to be woken by, so it is told again.
HANG_UP_AGAIN = 0.05

# How long the registering of a handler waits for the bus to take note. It takes a tenth of a
# millisecond; what takes longer is no reason to hold up a program.
ORDER_TIMEOUT = 1.0
