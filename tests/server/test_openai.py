"""OpenAI's own client."""

import io
import json

import numpy as np
import openai
import pytest
import soundfile as sf

KEY = "a-key-of-some-length"


@pytest.fixture
def client(builtin):
    with openai.OpenAI(base_url=f"{builtin.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("form", ["mp3", "opus", "flac", "wav"])
def test_speech(client, form, tmp_path):
    speech = client.audio.speech.create(
        model="tts-1", voice="alloy", input="Hello from the client.", response_format=form
    )
    speech.write_to_file(tmp_path / f"speech.{form}")
    samples, rate = sf.read(tmp_path / f"speech.{form}")
    assert 0.8 < len(samples) / rate < 4
    assert np.abs(samples).max() > 0.1


def test_the_client_s_defaults(client):
    speech = client.audio.speech.create(model="gpt-4o-mini-tts", voice="coral", input="Hello.")
    assert sf.info(io.BytesIO(speech.content)).format == "MP3"


def test_streaming(client):
    text = "The first sentence is here. Here is the second. And this is the third of them."
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="nova", input=text, response_format="pcm", speed=1.25
    ) as reply:
        sizes = [len(part) for part in reply.iter_bytes()]
    assert len(sizes) > 2
    assert 2 < sum(sizes) / 48_000 < 10


def test_events(client):
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts",
        voice="nova",
        input="One. Two.",
        response_format="pcm",
        stream_format="sse",
    ) as reply:
        told = [json.loads(line[6:]) for line in reply.iter_lines() if line]
    kinds = [one["type"] for one in told]
    assert set(kinds[:-1]) == {"speech.audio.delta"}
    assert kinds[-1] == "speech.audio.done"


def test_what_is_ours(client):
    ours = {"seed": 3, "lang": "en"}
    say = client.audio.speech.create
    first, second = (
        say(model="tts-1", voice="alloy", input="Hello.", extra_body=ours).content for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"model": "gpt-5"}, openai.NotFoundError),
        ({"voice": "nobody"}, openai.BadRequestError),
        ({"response_format": "aac"}, openai.BadRequestError),
        ({"speed": 9.0}, openai.BadRequestError),
        ({"input": "x" * 5000}, openai.BadRequestError),
    ],
)
def test_errors_are_the_client_s(client, fields, error):
    asked = {"model": "tts-1", "voice": "alloy", "input": "Hello.", **fields}
    with pytest.raises(error) as raised:
        client.audio.speech.create(**asked)
    assert raised.value.type == "invalid_request_error"
    assert raised.value.param == next(iter(fields))
    assert raised.value.code


@pytest.mark.parametrize("name", ["builtin", "tts-1", "gpt-4o-mini-tts-2025-12-15"])
def test_a_model_is_looked_up(client, name):
    assert client.models.retrieve(name).id == name


@pytest.mark.parametrize("name", ["gpt-5", "gpt-4o-mini-tts-20", "gpt-4o-mini-tts-2025-12-15x"])
def test_a_model_that_is_none_is_not_found(client, name):
    with pytest.raises(openai.NotFoundError) as raised:
        client.models.retrieve(name)
    assert (raised.value.code, raised.value.param) == ("model_not_found", "model")


def test_the_key(start):
    running = start(api_key=KEY)
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key=KEY) as client:
        assert client.models.list().data[0].id == "indextts-2.5"
    with (
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="wrong") as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.models.list()


def test_a_full_server_is_asked_again(start, stage):
    """The client waits as it is told, and gets its speech."""
    from concurrent.futures import ThreadPoolExecutor

    stage.gate.clear()
    running = start(stage, queue=1)
    with (
        ThreadPoolExecutor(3) as pool,
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=5) as client,
    ):
        held = pool.submit(running.say, "Held.")
        running.until(lambda: running.speaker.speaking == 1)
        waits = pool.submit(running.say, "Waits.")
        running.until(lambda: running.speaker.waiting == 1)
        say = client.audio.speech.create
        asked = pool.submit(say, model="tts-1", voice="alloy", input="Comes again.")
        running.until(lambda: "full" in running.http.get("/metrics").text)
        stage.gate.set()
        assert asked.result().content
        assert {held.result().status_code, waits.result().status_code} == {200}
