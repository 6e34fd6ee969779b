"""
See what travels on the message bus of OpenVoiceOS, and put a message on it.

The rules own no socket: `seen` reads a frame, `choice` says whether it is shown, `view` turns it
into a line, `roll` reads who is on the bus. The shells around them are thin: `link` is one
connection, `watch` and `send` are what the command does with it, `clients` asks for the bus's page,
`output` is where the lines go.
"""
