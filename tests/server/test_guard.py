"""Who is let in, and how much may be brought."""

import contextlib
import json
import socket

import pytest

KEY = "a-key-of-some-length"
SPEECH = "/v1/audio/speech"


def code_of(reply):
    return reply.status_code, reply.json()["error"]["code"]


@pytest.fixture(scope="module")
def locked(serve, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("locked"), api_key=KEY) as running:
        yield running


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"Basic {KEY}",
        KEY,
        f"Bearer {KEY} {KEY}",
        "Bearer ÿ".encode("latin-1"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", SPEECH),
        ("GET", "/v1/models"),
        ("GET", "/v1/voices"),
        ("POST", "/v1/voices"),
        ("DELETE", "/v1/voices/anna"),
        ("GET", "/metrics"),
        ("GET", "/nothing"),
        ("GET", "/health/"),
    ],
)
def test_without_the_key_nobody_gets_in(locked, method, path, header):
    headers = {} if header is None else {"authorization": header}
    reply = locked.http.request(method, path, headers=headers)
    assert code_of(reply) == (401, "invalid_api_key")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert KEY not in reply.text


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_with_the_key_one_gets_in(locked, kind):
    headers = {"authorization": f"{kind} {KEY}"}
    assert locked.http.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/", "/docs", "/openapi.json"])
def test_what_needs_no_key(locked, path):
    assert locked.http.get(path).status_code == 200


@pytest.fixture(scope="module")
def open_to_all(serve, tmp_path_factory):
    settings = {"host": "0.0.0.0", "no_auth": True, "allow_hosts": ("Speech.example.org",)}
    with serve(tmp_path_factory.mktemp("open"), **settings) as running:
        yield running


FOREIGN = [
    "evil.example",
    "evil.example:5124",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost:80@evil.example",
    "localhost@evil.example",
    "[::1]evil.example",
    "[::1",
    "localhost:port",
    "",
]


@pytest.mark.parametrize("host", [*FOREIGN, "[::2]", "192.168.1.2", "server"])
def test_a_local_server_answers_to_its_own_names_only(running, host):
    reply = running.http.get("/v1/models", headers={"host": host})
    assert code_of(reply) == (403, "host_not_allowed")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:99", "127.0.0.1:1", "[::1]:5124"])
def test_its_own_names(running, host):
    assert running.http.get("/v1/models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", [*FOREIGN, "example.org", "a.speech.example.org", "[::g]"])
def test_an_open_server_answers_to_no_name_that_others_can_have(open_to_all, host):
    reply = open_to_all.http.get("/v1/models", headers={"host": host})
    assert code_of(reply) == (403, "host_not_allowed")
    assert "--allow-host NAME" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "host",
    [
        "localhost:5124",
        "127.0.0.1:5124",
        "192.168.1.2",
        "[::2]:5124",
        "server:5124",
        "tts_server",
        "speech.example.org",
        "SPEECH.example.org:443",
    ],
)
def test_an_open_server_answers_to_addresses_and_to_names_of_its_own(open_to_all, host):
    assert open_to_all.http.get("/v1/models", headers={"host": host}).status_code == 200


def test_a_request_without_a_host_is_told_so(running):
    reply = raw(running, "GET /health HTTP/1.0\r\n")
    assert reply.split(b" ")[1] == b"403"
    assert b"there is no Host header" in reply


def test_with_a_key_a_proxy_may_have_any_name(locked):
    headers = {"host": "speech.example", "authorization": f"Bearer {KEY}"}
    assert locked.http.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://["]
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", SPEECH), ("POST", "/v1/voices"), ("DELETE", "/v1/voices/a")]
)
def test_other_sites_pages_can_not_use_it(running, method, path, origin):
    reply = running.http.request(method, path, headers={"origin": origin})
    assert code_of(reply) == (403, "origin_not_allowed")


def test_our_own_page_can(running):
    body = {"model": "tts-1", "input": "Hello."}
    reply = running.http.post(SPEECH, json=body, headers={"origin": running.url})
    assert reply.status_code == 200


def test_there_is_no_cors(running):
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    reply = running.http.options(SPEECH, headers=headers)
    assert reply.status_code == 405
    assert not [name for name in reply.headers if name.startswith("access-control")]


def test_every_reply_has_its_safety_headers(running):
    for reply in (running.http.get("/"), running.http.get("/nothing"), running.say()):
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "server" not in reply.headers


@pytest.mark.parametrize("voice", [
    "../../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "..\\..\\secret.wav",
    "C:\\windows\\win.ini",
    "clip.wav",
    "~/clip.wav",
    "http://127.0.0.1/clip.wav",
    "\\\\host\\share\\clip.wav",
    "tone/../tone",
    "tone\0.wav",
])  # fmt: skip
@pytest.mark.parametrize("wrapped", [False, True])
def test_no_path_in_a_request_is_opened(running, stage, monkeypatch, voice, wrapped):
    opened = []
    monkeypatch.setattr(type(stage), "voice_sha256", lambda _, path: opened.append(path))
    said = len(stage.said)
    reply = running.say(voice={"id": voice} if wrapped else voice)
    assert code_of(reply) == (400, "voice_not_found")
    assert len(stage.said) == said
    assert opened == []


@pytest.mark.parametrize(
    "name",
    ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2fetc", "a%00b", "a%0d%0ax-evil:1", "a.wav"],
)
def test_no_path_in_an_address_is_deleted(running, name):
    kept = running.folder / "kept.wav"
    kept.write_bytes(b"x")
    reply = raw(running, f"DELETE /v1/voices/{name} HTTP/1.1\r\nhost: localhost\r\n")
    assert reply.split(b" ")[1] in {b"400", b"404", b"405"}
    assert b"x-evil" not in reply.split(b"\r\n\r\n")[0]
    kept.unlink()


def raw(running, head, body=b""):
    """A request letter by letter, and the reply."""
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as client:
        client.sendall(head.encode("latin-1") + b"connection: close\r\n\r\n" + body)
        reply = b""
        while part := client.recv(65536):
            reply += part
    return reply


@pytest.mark.parametrize(
    "head",
    [
        "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx: a\x00b\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nbad header: 1\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\n",
        f"POST {SPEECH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: -5\r\n",
        f"POST {SPEECH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5, 6\r\n",
    ],
    ids=["nul", "space", "two hosts", "negative", "two lengths"],
)
def test_heads_that_are_none_are_refused(running, head):
    assert raw(running, head).split(b" ")[1] == b"400"
    assert running.http.get("/health").status_code == 200


def test_a_head_that_does_not_end_is_not_read_to_its_end(running):
    # The reply may be lost: the connection is closed with most of it unread.
    with contextlib.suppress(ConnectionError):
        head = f"GET / HTTP/1.1\r\nhost: localhost\r\nlong: {'x' * 5_000_000}\r\n"
        assert raw(running, head).split(b" ")[1] == b"400"
    assert running.http.get("/health").status_code == 200


@pytest.mark.parametrize("path", [SPEECH, "/v1/nothing"])
def test_a_body_that_says_that_it_is_too_large(running, path):
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000001\r\n"
    reply = raw(running, head)
    assert reply.split(b" ")[1] == b"413"
    assert json.loads(reply.split(b"\r\n\r\n")[1])["error"]["code"] == "too_large"


def chunks(total):
    for _ in range(total // 50_000):
        yield b" " * 50_000


def test_a_body_that_is_too_large_without_saying_so(running):
    headers = {"content-type": "application/json"}
    reply = running.http.post(SPEECH, content=chunks(2_000_000), headers=headers)
    assert code_of(reply) == (413, "too_large")


def test_an_upload_that_is_too_large(running):
    fields = {"name": "anna", "consent": "true"}
    for size, told in ((10_000_001, "too_large"), (13_000_000, "too_large")):
        files = {"file": ("a.wav", b"\0" * size, "audio/wav")}
        reply = running.http.post("/v1/voices", data=fields, files=files)
        assert code_of(reply) == (413, told)
    headers = {"content-type": "multipart/form-data; boundary=x"}
    reply = running.http.post("/v1/voices", content=chunks(13_000_000), headers=headers)
    assert reply.status_code in {400, 413}
    assert list(running.folder.rglob("*.wav")) == []


def test_a_body_that_never_comes_is_not_waited_for(running, monkeypatch):
    monkeypatch.setattr("tts_toolkit.server.guard.BODY_PATIENCE", 0.2)
    head = f"POST {SPEECH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    reply = raw(running, head + "content-length: 50\r\n", b'{"model"')
    assert reply.split(b" ")[1] == b"408"
