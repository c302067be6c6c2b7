"""POST /v1/audio/speech: what goes in, what comes out, and what is refused."""

import base64
import io
import json
import struct
import threading

import httpx2
import numpy as np
import pytest
import soundfile as sf
from pydantic import ValidationError

from fake_engine import RATE, clip_of
from tts_toolkit.audio.resample import resample
from tts_toolkit.config import Options
from tts_toolkit.server.schema import SpeechRequest
from tts_toolkit.utterance import Emotion

OPENAI_VOICES = (
    "alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar".split()  # noqa: SIM905
)


def wrong(reply):
    """(status, code, param) of an error in OpenAI's shape."""
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["type"] == (
        "server_error" if reply.status_code >= 500 else "invalid_request_error"
    )
    return reply.status_code, error["code"], error["param"]


def pcm(data):
    return np.frombuffer(data, "<i2") / 32767


def heard(stage):
    return stage.said[-1]


def events(reply):
    return [json.loads(line[6:]) for line in reply.text.split("\n\n") if line]


@pytest.mark.parametrize(
    ("name", "kind", "container"),
    [
        ("mp3", "audio/mpeg", "MP3"),
        ("opus", "audio/ogg", "OGG"),
        ("flac", "audio/flac", "FLAC"),
        ("wav", "audio/wav", "WAV"),
    ],
)
def test_each_format_is_what_it_says(running, stage, name, kind, container):
    reply = running.say(response_format=name)
    assert (reply.status_code, reply.headers["content-type"]) == (200, kind)
    with sf.SoundFile(io.BytesIO(reply.content)) as file:
        assert file.format == container
        assert file.samplerate == (24_000 if name == "opus" else RATE)
        samples = file.read()
    assert len(samples) / file.samplerate == pytest.approx(0.05, abs=0.06)
    assert b"AI-generated speech" in reply.content.replace(b"\0", b"")


def test_mp3_is_the_default(running):
    assert running.say().headers["content-type"] == "audio/mpeg"


def test_pcm_is_24_khz_16_bits_little_endian(running, stage):
    reply = running.say(response_format="pcm")
    assert reply.headers["content-type"] == "audio/pcm"
    wanted = resample(clip_of(heard(stage)), 24_000).samples
    np.testing.assert_allclose(pcm(reply.content), wanted, atol=1e-4)


def test_a_wav_s_length_is_unknown_as_openai_s(running, stage):
    data = running.say(response_format="wav").content
    assert struct.unpack("<I", data[4:8]) == (0xFFFFFFFF,)
    start_of_data = data.index(b"data") + 8
    assert struct.unpack("<I", data[start_of_data - 4 : start_of_data]) == (0xFFFFFFFF,)
    samples, rate = sf.read(io.BytesIO(data))
    assert rate == RATE
    np.testing.assert_allclose(samples, clip_of(heard(stage)).samples, atol=1e-4)


def test_fields_reach_the_engine(running, stage):
    fields = {"speed": 1.5, "seed": 7, "lang": "zh", "emotion": {"happy": 0.5, "calm": 0.25}}
    assert running.say("  你好  ", **fields).status_code == 200
    said = heard(stage)
    assert (said.text, said.voice, said.lang) == ("你好", "tone", "zh")
    assert (said.speed, said.seed) == (1.5, 7)
    assert said.emotion == Emotion(vector=(0.5, 0, 0, 0, 0, 0, 0, 0.25), weight=1.0)


def test_instructions_are_an_emotion_in_words(running, stage):
    assert running.say(instructions="Like a pirate.").status_code == 200
    assert heard(stage).emotion.text == "Like a pirate."


def test_what_is_not_said_comes_from_the_options(start, stage):
    running = start(stage, options=Options(seed=3, speed=0.8))
    assert running.say().status_code == 200
    assert (heard(stage).seed, heard(stage).speed) == (3, 0.8)


@pytest.mark.parametrize("voice", [*OPENAI_VOICES, "tone", {"id": "nova"}, "default", None])
def test_openai_s_voices_are_the_default_voice(running, stage, voice):
    assert running.say(voice=voice).status_code == 200
    assert heard(stage).voice == "tone"


@pytest.mark.parametrize("voice", ["default", "alloy", None])
def test_the_clip_of_the_server_is_the_default_voice(start, stage, voice):
    running = start(stage, options=Options(voice="/secret/narrator.wav"))
    assert running.say(voice=voice).status_code == 200
    assert heard(stage).voice == "/secret/narrator.wav"
    assert running.say(voice="tone").status_code == 200
    assert heard(stage).voice == "tone"


@pytest.mark.parametrize(
    "model",
    ["tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15", "indextts-2.5"],
)
def test_models(running, model):
    assert running.say(model=model).status_code == 200


def test_the_models_are_listed(running):
    listed = running.http.get("/v1/models").json()
    names = [one["id"] for one in listed["data"]]
    assert (listed["object"], names) == (
        "list",
        ["indextts-2.5", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"],
    )


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"model": "gpt-5"}, (404, "model_not_found", "model")),
        ({"model": "gpt-4o-mini-tts-20/../x"}, (404, "model_not_found", "model")),
        ({"response_format": "aac"}, (400, "invalid_value", "response_format")),
        ({"response_format": "exe"}, (400, "invalid_value", "response_format")),
        ({"stream_format": "x"}, (400, "invalid_value", "stream_format")),
        ({"voice": "tona"}, (400, "voice_not_found", "voice")),
        ({"voice": ""}, (400, "voice_not_found", "voice")),
        ({"voice": 7}, (400, "invalid_value", "voice")),
        ({"voice": {"id": 7}}, (400, "invalid_value", "voice")),
        ({"voice": {"name": "alloy"}}, (400, "invalid_value", "voice")),
        ({"response_format": "ogg"}, (400, "invalid_value", "response_format")),
        ({"input": ""}, (400, "invalid_value", "input")),
        ({"input": "a" * 4097}, (400, "invalid_value", "input")),
        ({"input": "…"}, (400, "unspeakable", "input")),
        ({"input": "\ud800"}, (400, "invalid_value", "input")),
        ({"input": ["Hello."]}, (400, "invalid_value", "input")),
        ({"speed": 0.2}, (400, "invalid_value", "speed")),
        ({"speed": 4.1}, (400, "invalid_value", "speed")),
        ({"speed": "fast"}, (400, "invalid_value", "speed")),
        ({"seed": -1}, (400, "invalid_value", "seed")),
        ({"seed": 2**32}, (400, "invalid_value", "seed")),
        ({"lang": "xx"}, (400, "invalid_value", "lang")),
        ({"emotion": {"bored": 0.1}}, (400, "invalid_value", "emotion")),
        ({"emotion": {"happy": 0.9}}, (400, "invalid_value", "emotion")),
        ({"emotion": {"happy": 0.1}, "instructions": "x"}, (400, "invalid_value", "emotion")),
        ({"temperature": 1}, (400, "invalid_value", "temperature")),
        ({"\ud800": 1}, (400, "invalid_value", None)),
    ],
    ids=lambda value: str(value).encode("ascii", "replace").decode()[:40],
)
def test_what_can_not_be_is_told_as_openai_does(running, stage, fields, told):
    said = len(stage.said)
    body = {"model": "tts-1", "input": "Hello.", "voice": "alloy", **fields}
    headers = {"content-type": "application/json"}
    reply = running.http.post("/v1/audio/speech", content=json.dumps(body), headers=headers)
    assert wrong(reply) == told
    assert len(stage.said) == said


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"response_format": "ogg"}, "response_format: should be 'mp3', 'opus', 'flac', 'wav' or"),
        ({"lang": "xx"}, "lang: has to be one of auto, en, zh, ja, es, ar"),
        ({"voice": 7}, 'voice: has to be a name, or an object such as {"id": "alloy"}'),
        ({"temperature": 1}, "temperature: there is no such field"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_wrong_is_said_once_and_in_words(running, fields, message):
    reply = running.say(**fields)
    assert reply.status_code == 400
    told = reply.json()["error"]["message"]
    assert told.startswith(message)
    assert ";" not in told


@pytest.mark.parametrize(
    "fields",
    [
        {"voice": "v" * 60_000},
        {"model": "m" * 60_000},
        {"lang": "l" * 60_000},
        {"n" * 60_000: 1},
        {"emotion": {"e" * 60_000: 0.1}},
        {f"field {n}": 1 for n in range(4_000)},
        {"emotion": {f"mood {n}": "x" for n in range(4_000)}},
        {"voice": {f"field {n}": 1 for n in range(4_000)}},
    ],
    ids=["voice", "model", "lang", "field", "mood", "fields", "moods", "in voice"],
)
def test_a_large_request_has_a_small_answer(running, fields):
    reply = running.say(**fields)
    assert reply.status_code == 400
    assert len(reply.content) < 1000


def test_no_problem_is_made_for_each_of_thousands_of_fields():
    fields = {f"field {n}": "x" for n in range(60_000)}
    for body in ({**fields, "model": "x"}, {"emotion": fields}, {"voice": fields}):
        with pytest.raises(ValidationError) as raised:
            SpeechRequest.model_validate(body)
        assert raised.value.error_count() < 10


def test_three_problems_are_told_and_the_others_counted(running):
    reply = running.say(**{f"field{n}": 1 for n in range(20)})
    said = [f"field{n}: there is no such field" for n in range(3)]
    assert reply.json()["error"]["message"] == "; ".join([*said, "and 17 more"])
    assert wrong(reply) == (400, "invalid_value", "field0")


@pytest.mark.parametrize(
    "fields", [{"voice": "v" * 250}, {"model": "m" * 250}], ids=["voice", "model"]
)
def test_only_the_beginning_of_a_name_is_repeated(running, fields):
    (name,) = fields.values()
    message = running.say(**fields).json()["error"]["message"]
    assert name[:100] in message
    assert name[:101] not in message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"[1]", "application/json"),
        (b'{"model": NaN}', "application/json"),
        (b'{"model": "tts-1", "input": "Hello.", "voice": "alloy"}', "text/plain"),
        (b"model=tts-1&input=Hello.", "application/x-www-form-urlencoded"),
    ],
    ids=["none", "half", "no UTF-8", "deep", "a list", "NaN", "text", "a form"],
)
def test_a_body_that_is_no_request_is_refused(running, body, kind):
    headers = {"content-type": kind}
    reply = running.http.post("/v1/audio/speech", content=body, headers=headers)
    assert wrong(reply)[0] == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[" * 100_000, "the body is nested too deep"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "the body has a number with too many digits"),
        (b'{"input": "\xff"}', "the body has to be JSON in UTF-8"),
        (b'{"input": ', "the body has to be JSON in UTF-8: Expecting value at character 10"),
        (b'{"\\ud800": 1}', "a field's name has half of a surrogate pair, which is no character"),
        (b"[1]", "the body has to be a JSON object (Content-Type: application/json)"),
    ],
    ids=["deep", "digits", "no UTF-8", "half", "surrogate", "a list"],
)
def test_what_is_wrong_with_a_body_is_told(running, body, message):
    headers = {"content-type": "application/json"}
    reply = running.http.post("/v1/audio/speech", content=body, headers=headers)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"] == message


def test_an_utterance_that_fails_is_an_error_of_its_own(running):
    assert wrong(running.say("boom")) == (500, "speech_failed", None)
    assert running.say("Hello.").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "/v1/audio/speech", (405, "method_not_allowed", None)),
        ("PUT", "/v1/voices", (405, "method_not_allowed", None)),
        ("GET", "/v1/nothing", (404, "unknown_url", None)),
        ("POST", "/", (405, "method_not_allowed", None)),
    ],
)
def test_addresses_that_are_none(running, method, path, told):
    assert wrong(running.http.request(method, path)) == told


def test_an_address_that_is_none_says_where_the_others_are(running):
    message = running.http.get(f"/{'x' * 50_000}").json()["error"]["message"]
    assert message.startswith(f"Not Found: GET /{'x' * 90}")
    assert message.endswith("…; GET /docs lists what there is")
    assert len(message) < 200


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_has_a_head(running, path):
    reply = running.http.head(path)
    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["content-length"] == running.http.get(path).headers["content-length"]


def test_the_first_segment_is_heard_before_the_second_is_made(running, stage):
    body = {"model": "tts-1", "input": "two parts", "response_format": "pcm"}
    with running.http.stream("POST", "/v1/audio/speech", json=body) as reply:
        parts = reply.iter_bytes()
        first = next(parts)
        assert not stage.gate.is_set()
        assert len(first) > 1000
        stage.gate.set()
        rest = b"".join(parts)
    assert pcm(first + rest).shape == (2 * len(pcm(first)),)


def test_events_are_openai_s(running, stage):
    reply = running.say(response_format="pcm", stream_format="sse")
    assert reply.headers["content-type"].startswith("text/event-stream")
    *deltas, done = events(reply)
    assert {one["type"] for one in deltas} == {"speech.audio.delta"}
    assert done["type"] == "speech.audio.done"
    assert set(done["usage"]) == {"input_tokens", "output_tokens", "total_tokens"}
    audio = b"".join(base64.b64decode(one["audio"]) for one in deltas)
    wanted = resample(clip_of(heard(stage)), 24_000).samples
    np.testing.assert_allclose(pcm(audio), wanted, atol=1e-4)


def test_a_whole_file_can_be_sent_as_events(running):
    reply = running.say(response_format="flac", stream_format="sse")
    audio = b"".join(base64.b64decode(one["audio"]) for one in events(reply)[:-1])
    assert sf.read(io.BytesIO(audio))[1] == RATE


def test_a_failure_in_the_middle_is_seen_in_the_events(running, stage):
    threading.Timer(0.2, stage.gate.set).start()
    told = events(running.say("two boom", response_format="pcm", stream_format="sse"))
    assert [one["type"] for one in told] == ["speech.audio.delta", "error"]
    assert told[-1]["error"]["code"] == "speech_failed"


def test_a_failure_in_the_middle_cuts_the_audio_off(running, stage):
    threading.Timer(0.2, stage.gate.set).start()
    with pytest.raises(httpx2.RemoteProtocolError):
        running.say("two boom", response_format="pcm")
    running.until(lambda: running.speaker.idle)


def test_the_same_request_is_the_same_bytes(builtin):
    replies = [builtin.say("One, two, three.", response_format="mp3").content for _ in range(2)]
    assert replies[0] == replies[1]


def test_the_embedded_voice_says_what_the_library_says(builtin):
    import tts_toolkit

    with tts_toolkit.load(model="builtin") as synth:
        wanted = synth.say("This is one. This is two.", seed=5, speed=1.2).samples
    reply = builtin.say("This is one. This is two.", seed=5, speed=1.2, response_format="pcm")
    np.testing.assert_allclose(pcm(reply.content), wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"speed": 3.0}, "speed: the builtin voice's speed goes from 0.5 to 2"),
        ({"lang": "zh"}, "lang: the builtin voice speaks English only"),
        ({"instructions": "Sad."}, "instructions: the builtin voice has no emotions"),
        ({"emotion": {"sad": 0.4}}, "emotion: the builtin voice has no emotions"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_field_that_the_engine_can_not_honour_is_named(builtin, fields, message):
    reply = builtin.say(**fields)
    assert wrong(reply) == (400, "not_supported", next(iter(fields)))
    assert reply.json()["error"]["message"].startswith(message)


def test_a_text_that_the_engine_can_not_read_is_refused(builtin):
    reply = builtin.say("第三行。")
    assert wrong(reply) == (400, "unspeakable", "input")
    assert "can't read Han script" in reply.json()["error"]["message"]
