"""Rules that both clients share: no sockets, no threads, no event loop."""
