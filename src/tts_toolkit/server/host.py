"""The Host header, and the names that a server without a key answers to."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tts_toolkit.server.settings import ServerSettings

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]*)?")


def host_name(header: str) -> str:
    """The name in a Host header, without its port, or "" if it is none."""
    found = _HOST.fullmatch(header.lower())
    return (found[1] or found[2]) if found else ""


class OwnNames:
    """The names under which a server without a key may be asked.

    Args:
        settings: of the server. One that others can reach, through a port that is forwarded or by
            a network's names, answers to every name that no page of another site can have: to IP
            addresses, and to names without a dot, as Compose gives them.
    """

    def __init__(self, settings: ServerSettings) -> None:
        given = (settings.host, *settings.allow_hosts)
        self._names = {"localhost", "127.0.0.1", "::1", *map(str.lower, given)} - {""}
        self._wide = not settings.is_local

    def __contains__(self, name: str) -> bool:
        """Whether the server answers to it."""
        return name in self._names or (self._wide and _is_nobodys(name))


def _is_nobodys(name: str) -> bool:
    """Whether nobody can have a name server lead it here."""
    if "." not in name and ":" not in name:
        return bool(name)
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
