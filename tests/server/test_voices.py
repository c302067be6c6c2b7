"""/v1/voices: uploads that become voices, and those that do not."""

import io
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx2
import numpy as np
import pytest
import soundfile as sf
from starlette.datastructures import UploadFile

from tts_toolkit.config import Options
from tts_toolkit.server.reference import read_reference
from tts_toolkit.server.shelf import Shelf

RATE = 16_000


def clip(seconds=2.0, rate=RATE, channels=1, form="WAV", subtype=None, level=0.5):
    tone = level * np.sin(np.arange(int(seconds * rate)) / 20)
    file = io.BytesIO()
    sf.write(file, np.stack([tone] * channels, 1), rate, format=form, subtype=subtype)
    return file.getvalue()


def upload(running, data=None, **given):
    fields = {"name": "anna", "consent": "true"} | given
    sent = {name: value for name, value in fields.items() if value is not None}
    files = {"file": ("../../etc/passwd.wav", clip() if data is None else data, "audio/wav")}
    return running.http.post("/v1/voices", data=sent, files=files)


def told(reply):
    error = reply.json()["error"]
    return reply.status_code, error["code"], error["param"]


def stored(running):
    return sorted(running.folder.rglob("*.wav"))


def test_a_clip_becomes_a_voice(running, stage):
    reply = upload(running)
    assert reply.status_code == 201
    assert reply.json() == {
        "id": "anna",
        "object": "voice",
        "uploaded": True,
        "default": False,
        "duration_s": 2.0,
    }
    (path,) = stored(running)
    assert "passwd" not in path.name
    assert "anna" not in path.name
    samples, rate = sf.read(path)
    assert (samples.shape, rate) == ((2 * RATE,), RATE)

    listed = running.http.get("/v1/voices").json()
    assert [one["id"] for one in listed["data"]] == ["tone", "anna"]
    assert running.say(voice="anna").status_code == 200
    assert stage.said[-1].voice == str(path)
    assert running.say(voice={"id": "anna"}).status_code == 200


def test_what_the_engine_can_is_listed(running, builtin):
    cloner = running.http.get("/v1/voices").json()
    assert (cloner["clones"], cloner["emotions"][0], cloner["languages"]) == (
        True,
        "happy",
        ["en", "zh"],
    )
    listed = builtin.http.get("/v1/voices").json()
    assert (listed["clones"], listed["emotions"]) == (False, [])
    assert (listed["slowest"], listed["fastest"]) == (0.5, 2.0)
    assert listed["data"][0]["id"] == "heart"
    assert listed["data"][0]["default"]


def test_the_clip_of_the_server_is_listed_without_its_path(start, stage):
    running = start(stage, options=Options(voice="/secret/narrator.wav", speed=0.8))
    reply = running.http.get("/v1/voices")
    listed = reply.json()
    assert [(one["id"], one["default"]) for one in listed["data"]] == [
        ("default", True),
        ("tone", False),
    ]
    assert listed["speed"] == 0.8
    assert "narrator" not in reply.text


def test_a_failure_names_no_path_of_the_server_s(start, stage, monkeypatch):
    running = start(stage, options=Options(voice="/secret/narrator.wav"))
    fail_with_the_voice(stage, monkeypatch)
    assert running.say(voice=None).json()["error"]["message"] == "the clip default is odd"


def test_a_voice_that_is_deleted_is_gone(running):
    upload(running)
    reply = running.http.delete("/v1/voices/anna")
    assert (reply.status_code, reply.json()) == (
        200,
        {"id": "anna", "object": "voice", "deleted": True},
    )
    assert stored(running) == []
    assert told(running.say(voice="anna")) == (400, "voice_not_found", "voice")
    assert told(running.http.delete("/v1/voices/anna")) == (404, "voice_not_found", "name")
    assert upload(running).status_code == 201


def test_a_voice_that_is_speaking_is_deleted_afterwards(running, stage):
    upload(running)
    stage.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(running.say, voice="anna")
        running.until(lambda: running.speaker.speaking == 1)
        assert running.http.delete("/v1/voices/anna").status_code == 200
        assert len(stored(running)) == 1
        stage.gate.set()
        assert asked.result().status_code == 200
    running.until(lambda: stored(running) == [])


def fail_with_the_voice(stage, monkeypatch):
    from tts_toolkit.engines.base import Failed
    from tts_toolkit.errors import EngineError

    session = type(stage.load())
    fail = lambda self: [  # noqa: E731
        Failed(one.id, EngineError(f"the clip {one.voice} is odd")) for one in [self.taken.pop()]
    ]
    monkeypatch.setattr(session, "step", lambda self: fail(self) if self.taken else [])


def test_a_failure_names_the_voice_and_not_our_file(running, stage, monkeypatch):
    upload(running)
    fail_with_the_voice(stage, monkeypatch)
    message = running.say(voice="anna").json()["error"]["message"]
    assert message == "the clip anna is odd"


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("tone", 400, "'tone' is the engine's own and can't be deleted"),
        ("alloy", 400, "'alloy' stands for the default voice and can't be deleted"),
        ("default", 400, "'default' stands for the default voice and can't be deleted"),
        ("nobody", 404, "there is no voice 'nobody'"),
    ],
)
def test_what_was_not_uploaded_can_not_be_deleted(running, name, status, message):
    reply = running.http.delete(f"/v1/voices/{name}")
    assert told(reply) == (status, "voice_not_found", "name")
    assert reply.json()["error"]["message"] == message


@pytest.mark.parametrize(
    ("form", "subtype"),
    [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", None), ("OGG", "VORBIS"), ("MP3", None)],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_usual_files_are_taken(running, form, subtype, channels):
    data = clip(1.5, 44_100, channels, form, subtype)
    reply = upload(running, data)
    assert reply.status_code == 201, reply.text
    assert reply.json()["duration_s"] == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no audio"),
        (b"not a sound" * 100, "no audio"),
        (clip()[:30], "no audio"),
        (clip(0.5), "at least a second"),
        (clip(61, 8000), "longer than 60 s"),
        (clip(2, 4000), "4000 Hz"),
        (clip(2, 192_000), "192000 Hz"),
        (clip(2, channels=3), "3 channels"),
        (clip(level=0.0), "silent"),
        (clip(form="AIFF"), "AIFF is not taken"),
        (clip(form="RAW", subtype="PCM_16"), "no audio"),
    ],
    ids=["empty", "text", "cut", "short", "long", "slow", "fast", "3", "silent", "AIFF", "raw"],
)
def test_files_that_are_no_voice_are_refused(running, data, reason):
    reply = upload(running, data)
    assert told(reply) == (400, "bad_clip", "file")
    assert reason in reply.json()["error"]["message"]
    assert stored(running) == []


def test_numbers_that_are_none_are_refused(running):
    file = io.BytesIO()
    sf.write(file, np.full(RATE * 2, np.nan, np.float32), RATE, format="WAV", subtype="FLOAT")
    assert told(upload(running, file.getvalue()))[:2] == (400, "bad_clip")


def float_clip(peak):
    file = io.BytesIO()
    samples = (peak * np.sin(np.arange(2 * RATE) / 20)).astype(np.float32)
    sf.write(file, samples, RATE, format="WAV", subtype="FLOAT")
    return file.getvalue()


@pytest.mark.parametrize("peak", [4.5, 32_768, 1e6])
def test_samples_in_other_units_are_refused(running, peak):
    reply = upload(running, float_clip(peak))
    assert told(reply) == (400, "bad_clip", "file")
    assert "times full scale" in reply.json()["error"]["message"]
    assert stored(running) == []


@pytest.mark.parametrize(("peak", "kept"), [(0.5, 0.5), (1.0, 1.0), (1.2, 1.0), (3.9, 1.0)])
def test_what_is_a_little_too_loud_is_turned_down_and_not_cut_off(running, peak, kept):
    assert upload(running, float_clip(peak)).status_code == 201
    samples, _ = sf.read(stored(running)[0])
    np.testing.assert_allclose(samples, kept * np.sin(np.arange(2 * RATE) / 20), atol=1e-3)


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"consent": None}, (400, "invalid_value", "consent")),
        ({"consent": "false"}, (400, "consent_required", "consent")),
        ({"consent": "perhaps"}, (400, "invalid_value", "consent")),
        ({"name": None}, (400, "invalid_value", "name")),
        ({"name": ""}, (400, "invalid_value", "name")),
        ({"name": "../anna"}, (400, "invalid_value", "name")),
        ({"name": "a/b"}, (400, "invalid_value", "name")),
        ({"name": "anna.wav"}, (400, "invalid_value", "name")),
        ({"name": "an na"}, (400, "invalid_value", "name")),
        ({"name": "anna\r\nx-evil: 1"}, (400, "invalid_value", "name")),
        ({"name": "a\0b"}, (400, "invalid_value", "name")),
        ({"name": "-anna"}, (400, "invalid_value", "name")),
        ({"name": "a" * 65}, (400, "invalid_value", "name")),
        ({"name": "anna\n"}, (400, "invalid_value", "name")),
        ({"name": "alloy"}, (409, "name_taken", "name")),
        ({"name": "tone"}, (409, "name_taken", "name")),
        ({"name": "default"}, (409, "name_taken", "name")),
        ({"nickname": "ann"}, (400, "invalid_value", "nickname")),
        ({"x" * 1000: "y"}, (400, "invalid_value", "x" * 100 + "…")),
        ({"consent": ["false", "true"]}, (400, "invalid_value", "consent")),
        ({"consent": ["true", "true"]}, (400, "invalid_value", "consent")),
        ({"name": ["berta", "anna"]}, (400, "invalid_value", "name")),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_fields_that_can_not_be(running, fields, answer):
    assert told(upload(running, **fields)) == answer
    assert stored(running) == []


def test_of_two_files_none_is_taken(running):
    files = [("file", (f"{n}.wav", clip(), "audio/wav")) for n in range(2)]
    reply = running.http.post("/v1/voices", data={"name": "a", "consent": "true"}, files=files)
    assert told(reply) == (400, "invalid_value", "file")
    assert reply.json()["error"]["message"] == "file is there 2 times; send one"


def test_what_is_wrong_with_a_form_is_told_in_words(running):
    fields = {"name": "an na", "consent": "perhaps", "file": "clip.wav"}
    files = {name: (None, value) for name, value in fields.items()}
    reply = running.http.post("/v1/voices", files=files)
    assert reply.json()["error"]["message"].split("; ") == [
        "name: has to be letters, digits, - and _, up to 64, and a letter or digit comes first",
        "consent: has to be true or false",
        "file: has to be a file, as curl sends it with -F file=@clip.wav",
    ]


def test_a_name_is_given_once(running):
    assert upload(running).status_code == 201
    assert told(upload(running)) == (409, "name_taken", "name")
    assert len(stored(running)) == 1


def test_there_are_only_so_many(running, monkeypatch):
    monkeypatch.setattr("tts_toolkit.server.voices.MOST_VOICES", 2)
    assert [upload(running, name=f"v{n}").status_code for n in range(3)] == [201, 201, 409]


def test_an_engine_without_cloning_says_so(builtin):
    assert told(upload(builtin)) == (400, "not_supported", None)


def test_it_says_so_before_it_reads_the_clip(builtin):
    host, port = urlsplit(builtin.url).netloc.split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(
            b"POST /v1/voices HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000000\r\n"
            b"content-type: multipart/form-data; boundary=x\r\n\r\n--x"
        )
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 400")


@pytest.fixture
def decoding(monkeypatch):
    """Decoding that waits for a gate, and who is there."""
    with ThreadPoolExecutor(8) as pool:
        held = SimpleNamespace(pool=pool, gate=threading.Event(), begun=0)

        def wait_and_read(data):
            held.begun += 1
            assert held.gate.wait(30)
            return read_reference(data)

        monkeypatch.setattr("tts_toolkit.server.voices.read_reference", wait_and_read)
        yield held
        held.gate.set()


def test_so_many_uploads_are_there_at_a_time(running, decoding, monkeypatch):
    monkeypatch.setattr("tts_toolkit.server.doorway._MOST_UPLOADS", 2)
    asked = [decoding.pool.submit(upload, running, name=f"v{n}") for n in range(2)]
    running.until(lambda: decoding.begun == 2)
    reply = upload(running)
    assert told(reply) == (503, "full", None)
    assert reply.json()["error"]["type"] == "server_error"
    assert int(reply.headers["retry-after"]) > 0
    assert running.http.get("/v1/voices").status_code == 200
    decoding.gate.set()
    assert [one.result().status_code for one in asked] == [201, 201]
    assert upload(running).status_code == 201


def test_a_clip_that_waits_is_not_in_memory(running, decoding, monkeypatch):
    reads = []
    read = UploadFile.read
    monkeypatch.setattr(
        UploadFile, "read", lambda self, size: reads.append(size) or read(self, size)
    )
    asked = [decoding.pool.submit(upload, running, name=f"v{n}") for n in range(5)]
    running.until(lambda: decoding.begun == 2)
    # It has come after the others, and gets no further than they.
    assert upload(running, name="alloy").status_code == 409
    assert len(reads) == 2
    decoding.gate.set()
    assert [one.result().status_code for one in asked] == [201] * 5


def test_a_client_that_leaves_leaves_no_voice(running, decoding, monkeypatch):
    written = threading.Event()
    write = Shelf.write
    monkeypatch.setattr(Shelf, "write", lambda *args: (write(*args), written.set())[0])
    connections = running._server.server_state.connections
    running.http.get("/health")
    before = len(connections)
    with httpx2.Client(base_url=running.url, timeout=1) as http, pytest.raises(httpx2.ReadTimeout):
        upload(SimpleNamespace(http=http))
    running.until(lambda: len(connections) <= before)
    assert decoding.begun == 1
    decoding.gate.set()
    assert written.wait(30)
    running.until(lambda: stored(running) == [])
    assert upload(running).status_code == 201


def test_a_file_that_decodes_to_hours_is_given_up_at_the_limit(running):
    """Twenty minutes of silence are a few kB of FLAC."""
    import psutil

    data = clip(1200, 8000, form="FLAC", level=0.0)
    assert len(data) < 300_000
    before = psutil.Process(os.getpid()).memory_info().rss
    assert told(upload(running, data)) == (400, "bad_clip", "file")
    assert psutil.Process(os.getpid()).memory_info().rss - before < 60_000_000


def test_a_header_that_lies_about_its_length_is_not_believed(running):
    data = bytearray(clip(2.0))
    at = data.index(b"data") + 4
    data[at : at + 4] = (0x7FFFFFF0).to_bytes(4, "little")
    assert upload(running, bytes(data)).status_code in {201, 400}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--y\r\nnot ours"),
        ("multipart/form-data; boundary=x", b"--x\r\ncontent-disposition: form-data\r\n\r\n1"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="name'),
        ("multipart/form-data; boundary=" + "x" * 5000, b"--x"),
        ("multipart/form-data; boundary=x; charset=nothing", b"--x\r\n\r\n--x--"),
        ("application/json", b"{}"),
    ],
    ids=["no boundary", "empty", "other", "no name", "cut", "long", "charset", "json"],
)
def test_multipart_that_is_none_is_refused(running, kind, body):
    reply = running.http.post("/v1/voices", content=body, headers={"content-type": kind})
    assert reply.status_code == 400
    assert reply.json()["error"]["message"]


def test_many_fields_and_files_are_refused(running):
    files = [("file", (f"{n}.wav", b"x", "audio/wav")) for n in range(1100)]
    reply = running.http.post("/v1/voices", data={"name": "a", "consent": "1"}, files=files)
    assert reply.status_code == 400


def test_nothing_of_an_upload_is_opened_by_its_name(running):
    target = running.folder / "evil.wav"
    files = {"file": (str(target), clip(), "audio/wav")}
    fields = {"name": "anna", "consent": "true"}
    assert running.http.post("/v1/voices", data=fields, files=files).status_code == 201
    assert not Path(target).exists()
