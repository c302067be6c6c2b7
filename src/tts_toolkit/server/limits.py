"""How much the server takes from a stranger."""

from __future__ import annotations

# Characters of an input, as OpenAI has it; about five minutes of speech.
MAX_TEXT = 4096
# Bytes of a request's body; an upload is a clip and a few form fields.
MAX_BODY = 1_000_000
MAX_UPLOAD = 12_000_000
# Bytes of the clip itself.
MAX_CLIP = 10_000_000
# Seconds of sound in it. More is of no use to an engine, and what decodes to hours is an attack.
SHORTEST_CLIP = 1.0
LONGEST_CLIP = 60.0
# Sampling rates in Hz, and channels.
LOWEST_RATE = 8_000
HIGHEST_RATE = 96_000
MOST_CHANNELS = 2
# Uploaded voices that are kept at a time; one is at most 12 MB on the disk.
MOST_VOICES = 64
# Seconds in which a body has to be there, and in which a client has to take a piece of a reply.
BODY_PATIENCE = 60.0
REPLY_PATIENCE = 60.0
# Seconds in which a request's head has to be there, and after which a connection is closed of whose
# reply its client takes not a byte. Who plays a reply as it comes may pause it.
HEAD_PATIENCE = 20.0
UNREAD_PATIENCE = 600.0
# Connections at a time; fewer if the process may have few files.
MOST_CONNECTIONS = 1000
# Seconds for which a server whose engine has died says so, and then exits.
DEATH_PATIENCE = 30.0
