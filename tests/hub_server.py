"""A server that speaks the hub's protocol on this machine, and misbehaves as told."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Fault:
    """What goes wrong in one answer to a GET (or, with a status, also to a HEAD).

    Attributes:
        status: answer with this instead.
        headers: beside the usual ones.
        cut: close the connection after so many bytes.
        flip: change the byte at this place of the file.
        stall: send nothing for so many seconds in the middle.
        pace: bytes a second.
        claim: say that the file has this size, and send as many bytes.
        whole: ignore the Range that was asked for.
        shift: send a range that begins so many bytes later.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None
    flip: int | None = None
    stall: float = 0.0
    pace: int = 0
    claim: int | None = None
    whole: bool = False
    shift: int = 0


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class HubServer:
    """A hub with some files.

    Attributes:
        files: (repository, name) → content, or the file that has it.
        elsewhere: send the client to another origin for the bytes, as the hub does.
        faults: (method, name) → what goes wrong in the next answers, one each.
        always: name → what goes wrong in each of them.
        requests: those that came.
    """

    files: dict[tuple[str, str], bytes | Path]
    elsewhere: bool = False
    faults: dict[tuple[str, str], deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Fault] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self):
        hub = self

        class Handler(_Handler):
            server_of = hub

        self._servers = [Server(("127.0.0.1", 0), Handler) for _ in range(2)]
        self._hashes = {}

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def storage(self):
        return f"http://localhost:{self._servers[1].server_port}"

    def __enter__(self):
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def sha256(self, key):
        if key not in self._hashes:
            content = self.files[key]
            if isinstance(content, bytes):
                self._hashes[key] = sha256(content).hexdigest()
            else:
                digest = sha256()
                with content.open("rb") as file:
                    while piece := file.read(1 << 20):
                        digest.update(piece)
                self._hashes[key] = digest.hexdigest()
        return self._hashes[key]

    def fault(self, method, name):
        if self.faults[method, name]:
            return self.faults[method, name].popleft()
        return self.always.get(name, Fault())


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        """A client that leaves is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: HubServer

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(send=False)

    def do_GET(self):
        self.answer(send=True)

    def answer(self, *, send):
        hub = self.server_of
        hub.requests.append(
            Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
        )
        if self.path.startswith("/api/models/"):
            self.about(unquote(self.path).split("?")[0].split("/")[3:])
            return
        key = self.key()
        if key not in hub.files:
            self.plain(404, {"X-Error-Code": "EntryNotFound"})
            return
        fault = hub.fault(self.command, key[1])
        if fault.status:
            self.plain(fault.status, dict(fault.headers))
            return
        content = hub.files[key]
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        known = {
            "X-Repo-Commit": REVISION,
            "X-Linked-Size": str(fault.claim if fault.claim is not None else size),
            "ETag": f'"{hub.sha256(key)}"',
        }
        at_hub = self.server.server_port == hub._servers[0].server_port
        if hub.elsewhere and at_hub:
            self.plain(302, known | {"Location": f"{hub.storage}{self.path}"})
            return
        self.content(content, size, known, fault, send=send)

    def about(self, parts):
        """What the hub's own client asks of a repository before it fetches several files."""
        owner, name, kind, *_ = parts
        hub = self.server_of
        listed = []
        for (repository, file), content in hub.files.items():
            if repository == f"{owner}/{name}":
                size = len(content) if isinstance(content, bytes) else content.stat().st_size
                lfs = {"oid": hub.sha256((repository, file)), "size": size, "pointerSize": 1}
                oid = {"oid": lfs["oid"][:40], "size": size, "lfs": lfs}
                listed.append({"type": "file", "path": file, **oid})
        about = {
            "id": f"{owner}/{name}",
            "sha": REVISION,
            "siblings": [{"rfilename": one["path"]} for one in listed],
        }
        body = json.dumps(listed if kind == "tree" else about).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def key(self):
        """Which file is asked for: in the hub's way, or in ModelScope's."""
        url = urlsplit(self.path)
        if url.path.startswith("/api/v1/models/"):
            owner, name = url.path.split("/")[4:6]
            return f"{owner}/{name}", parse_qs(url.query)["FilePath"][0]
        owner, name, _, _, *path = unquote(self.path).lstrip("/").split("/")
        return f"{owner}/{name}", "/".join(path)

    def plain(self, status, headers):
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def content(self, content, size, headers, fault, *, send):
        total = size if fault.claim is None else fault.claim
        start = 0
        asked = self.headers.get("Range")
        if asked and not fault.whole:
            start = int(asked.removeprefix("bytes=").partition("-")[0]) + fault.shift
            if start >= total:
                self.plain(416, {})
                return
            self.send_response(206)
            headers = headers | {"Content-Range": f"bytes {start}-{total - 1}/{total}"}
        else:
            self.send_response(200)
        for name, value in {**headers, "Content-Length": str(total - start)}.items():
            self.send_header(name, value)
        self.end_headers()
        if not send:
            return
        if isinstance(content, bytes):
            self.send(content[start:].ljust(total - start, b"?")[: total - start], start, fault)
        else:
            with content.open("rb") as file:
                self.connection.sendfile(file, start)

    def send(self, data, start, fault):
        if fault.flip is not None and start <= fault.flip < start + len(data):
            at = fault.flip - start
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        stop = len(data) if fault.cut is None else min(fault.cut, len(data))
        half = stop // 2
        piece = max(1, fault.pace // 20) if fault.pace else 1 << 20
        for at in range(0, stop, piece):
            if fault.stall and at <= half < at + piece:
                self.wfile.write(data[at:half])
                self.wfile.flush()
                time.sleep(fault.stall)
                at = half  # noqa: PLW2901 - the rest of the piece
                self.wfile.write(data[half : min(at + piece, stop)])
                continue
            self.wfile.write(data[at : min(at + piece, stop)])
            if fault.pace:
                time.sleep(0.05)
        if stop < len(data):
            self.close_connection = True
            self.connection.close()


def catalogue_of(files, *, name="toy", folder="toy", hub=None):
    """A catalogue, as JSON can hold it, of one model: (repository, name) → content."""
    entries = defaultdict(list)
    for (repository, file), content in files.items():
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        digest = hub.sha256((repository, file)) if hub else sha256(content).hexdigest()
        entries[repository].append({"name": file, "path": file, "size": size, "sha256": digest})
    return {
        name: {
            "title": "The toy",
            "folder": folder,
            "licence": "Toy License",
            "licence_url": "https://example.org/LICENSE",
            "terms": ["Be kind."],
            "memory": {"float32": 1000},
            "repositories": [
                {"hub": one, "revision": REVISION, "modelscope": one, "files": listed}
                for one, listed in entries.items()
            ],
        }
    }
