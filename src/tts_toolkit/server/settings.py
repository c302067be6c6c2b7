"""How a server is set up, and the set-ups that are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

from tts_toolkit.errors import OptionError
from tts_toolkit.server.host import host_name

HOST = "127.0.0.1"
PORT = 5124
QUEUE = 64


@dataclass(frozen=True)
class ServerSettings:
    """Where a server listens, and whom it serves.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 is one that is free.
        api_key: bearer token that a request has to bring, or None.
        no_auth: whether everyone who can reach it may use it.
        queue: requests that may wait for the engine.
        allow_hosts: names that it answers to without a key, beside its own.

    Raises:
        OptionError: for what is not safe, or contradicts itself.
    """

    host: str = HOST
    port: int = PORT
    api_key: str | None = field(default=None, repr=False)
    no_auth: bool = False
    queue: int = QUEUE
    allow_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.api_key == "":
            # Whoever gave it wanted a lock: a secret that was not found is no reason to open.
            raise OptionError("--api-key (or TTS_TOOLKIT_API_KEY) is empty: give a key, or none")
        if self.api_key and self.no_auth:
            raise OptionError("--api-key and --no-auth contradict each other; keep one")
        if not all("!" <= char <= "~" for char in self.api_key or ""):
            raise OptionError("--api-key: only ASCII letters, digits and signs, without spaces")
        if not (self.is_local or self.api_key or self.no_auth):
            raise OptionError(
                f"--host {self.host}: others could reach it, so it needs a token (--api-key, or "
                "TTS_TOOLKIT_API_KEY); --no-auth lets everybody in"
            )
        for name in self.allow_hosts:
            if not name or host_name(name) != name.lower():
                raise OptionError(f"--allow-host {name}: a name alone, such as speech.example.org")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False  # a name: where it leads is for the resolver to say
