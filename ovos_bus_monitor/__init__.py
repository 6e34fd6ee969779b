"""
See what travels on the message bus of OpenVoiceOS, and put a message on it.

The rules own no socket: `seen` reads a frame, `choice` says whether it is shown, `view` turns it
into a line. The shells around them are thin: `link` is one connection, `watch` and `send` are the
two things the command does with it, `output` is where the lines go.
"""
