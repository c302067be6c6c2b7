"""How a server is set up, and the set-ups that are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

from tts_toolkit.errors import OptionError

HOST = "127.0.0.1"
PORT = 5124
QUEUE = 64


@dataclass(frozen=True)
class ServerSettings:
    """Where a server listens, and whom it serves.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 is one that is free.
        api_key: bearer token that a request has to bring, or "".
        no_auth: whether everyone who can reach it may use it.
        queue: requests that may wait for the engine.

    Raises:
        OptionError: for what is not safe, or contradicts itself.
    """

    host: str = HOST
    port: int = PORT
    api_key: str = field(default="", repr=False)
    no_auth: bool = False
    queue: int = QUEUE

    def __post_init__(self) -> None:
        if self.api_key and self.no_auth:
            raise OptionError("--api-key and --no-auth contradict each other; keep one")
        if not all("!" <= char <= "~" for char in self.api_key):
            raise OptionError("--api-key: only ASCII letters, digits and signs, without spaces")
        if not (self.is_local or self.api_key or self.no_auth):
            raise OptionError(
                f"--host {self.host}: others could reach it, so it needs a token (--api-key, or "
                "TTS_TOOLKIT_API_KEY); --no-auth lets everybody in"
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False  # a name: where it leads is for the resolver to say
