"""The page, as a browser shows it."""

import io
import re

import numpy as np
import pytest
import soundfile as sf

from tts_toolkit.config import Options

pytestmark = pytest.mark.chromium

LUMINANCE = """() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g);
    return (0.3 * r + 0.6 * g + 0.1 * b) / 255;
}"""
# Controls without a name that a screen reader could say.
NAMELESS = """() => {
    const all = document.querySelectorAll("input, select, textarea, button, audio, progress");
    const named = (one) =>
        one.labels?.length || one.getAttribute("aria-label") || one.textContent.trim();
    return [...all].filter((one) => !named(one)).map((one) => one.outerHTML);
}"""
COLOURS = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) if (data[i + 3]) seen.add(data.slice(i, i + 3).join());
    return seen.size;
}"""


@pytest.fixture
def open_page(browser):
    """Open a server's page; at the end, nobody else was asked and nothing was complained about."""
    complaints, requests, opened = [], [], []

    def open_(server, path="/", *, expected="", **options):
        page = browser.new_page(**options)
        opened.append(page)
        said = lambda text: re.search(expected, text) if expected else None  # noqa: E731
        page.on("console", lambda one: said(one.text) or complaints.append(one.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda one: requests.append((server.url, one.url)))
        page.goto(server.url + path)
        return page

    yield open_
    for page in opened:
        page.close()
    assert complaints == []
    strange = [url for own, url in requests if not url.startswith((f"{own}/", "data:", "blob:"))]
    assert strange == []


def ready(page):
    page.wait_for_function("() => document.getElementById('voice').options.length > 0")
    return page


def spoken(page, count=1):
    """Wait for a player; its length in seconds."""
    page.locator("#clips > li").nth(count - 1).wait_for()
    page.wait_for_function("() => document.querySelector('#clips audio').duration > 0")
    return page.locator("#clips audio").first.evaluate("audio => audio.duration")


def reference(tmp_path, seconds=2.0):
    path = tmp_path / "A voice (1).wav"
    sf.write(path, 0.5 * np.sin(np.arange(int(seconds * 16_000)) / 20), 16_000)
    return path


def test_type_speak_and_hear(open_page, builtin):
    page = ready(open_page(builtin))
    text = "The lighthouse keeper counted the waves. There were eleven of them."
    page.get_by_label("Text").fill(text)
    page.get_by_role("button", name="Speak").click()
    length = spoken(page)

    wanted = builtin.say(text, response_format="pcm", speed=1.0).content
    assert length == pytest.approx(len(wanted) / 48_000, abs=0.02)
    page.wait_for_function("() => document.querySelector('#clips audio').currentTime > 0.2")
    assert page.locator("#clips .text").inner_text() == text
    assert page.locator("#progress").inner_text() == f"Done: {length:.1f} s of speech."
    assert page.locator("#clips canvas").evaluate(COLOURS) >= 2
    assert page.locator("#bar").is_hidden()
    assert page.locator("#engine").inner_text() == "builtin on cpu, ready"


def test_what_is_saved_is_a_file_with_its_length(open_page, builtin):
    page = ready(open_page(builtin))
    page.get_by_role("button", name="Speak").click()
    length = spoken(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as WAV").click()
    with open(download.value.path(), "rb") as file:  # noqa: PTH123 - a name without a suffix
        data = file.read()
    samples, rate = sf.read(io.BytesIO(data))
    assert len(samples) / rate == pytest.approx(length, abs=0.01)
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert b"AI-generated speech" in data
    assert np.abs(samples).max() > 0.1


def test_speed_counts(open_page, builtin):
    page = ready(open_page(builtin))
    page.get_by_role("button", name="Speak").click()
    usual = spoken(page)
    page.get_by_label("Speed").fill("2")
    assert page.locator("#pace").inner_text() == "2.00 \N{MULTIPLICATION SIGN}"
    page.get_by_role("button", name="Speak").click()
    fast = spoken(page, 2)
    assert fast < 0.7 * usual


def test_what_the_server_was_started_with_holds_until_it_is_changed(open_page, start, stage):
    running = start(stage, options=Options(voice="/secret/narrator.wav", speed=0.83))
    page = ready(open_page(running))
    assert page.locator("#voice").input_value() == "default"
    assert page.locator("#voice option").all_inner_texts() == ["default", "tone"]
    assert page.locator("#pace").inner_text() == "0.83 \N{MULTIPLICATION SIGN}"
    assert "narrator" not in page.content()
    page.get_by_role("button", name="Speak").click()
    spoken(page)
    assert (stage.said[-1].voice, stage.said[-1].speed) == ("/secret/narrator.wav", 0.83)

    page.get_by_label("Voice", exact=True).select_option("tone")
    page.get_by_label("Speed").fill("1")
    page.get_by_role("button", name="Speak").click()
    spoken(page, 2)
    assert (stage.said[-1].voice, stage.said[-1].speed) == ("tone", 1.0)


def test_the_keyboard_is_enough(open_page, builtin):
    page = ready(open_page(builtin))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.press("Control+A")
    page.keyboard.type("Just keys.")
    page.keyboard.press("Control+Enter")
    assert spoken(page) > 0.5
    assert page.evaluate("document.activeElement.id") == "text"
    for name in ("voice", "speed", "go"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == name
    page.keyboard.press("Space")
    assert spoken(page, 2) > 0.5


def test_an_error_is_shown_and_goes_again(open_page, builtin):
    page = ready(open_page(builtin, expected="status of 400"))
    page.get_by_label("Text").fill("你好")
    page.get_by_role("button", name="Speak").click()
    page.get_by_role("alert").wait_for()
    assert "can't read Han script" in page.get_by_role("alert").inner_text()
    page.get_by_label("Text").fill("Hello.")
    page.get_by_role("button", name="Speak").click()
    spoken(page)
    assert page.locator("#problem").is_hidden()


def test_a_server_that_is_gone_is_told(open_page, start, browser):
    page = browser.new_page()
    page.goto(start().url)
    ready(page)
    page.route("**/v1/audio/speech", lambda route: route.abort())
    page.get_by_role("button", name="Speak").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text() == "The server does not answer."
    page.close()


@pytest.mark.parametrize("length", [0, 20, 300])
def test_a_reply_that_breaks_off_is_told(open_page, running, length):
    page = ready(open_page(running))
    cut = running.say(response_format="wav").content[:length].replace(b"data", b"atad")
    page.route("**/v1/audio/speech", lambda route: route.fulfill(body=cut))
    page.get_by_role("button", name="Speak").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text() == "The reply broke off; try again."
    assert page.locator("#clips > li").count() == 0


def test_speaking_can_be_stopped(open_page, running, stage):
    stage.gate.clear()
    page = ready(open_page(running))
    page.get_by_label("Text").fill("Something long.")
    page.get_by_role("button", name="Speak").click()
    running.until(lambda: running.speaker.speaking == 1)
    assert page.locator("#bar").is_visible()
    page.get_by_role("button", name="Stop").click()
    running.until(lambda: running.speaker.idle)
    page.wait_for_function("() => document.getElementById('progress').textContent === 'Stopped.'")


def test_what_an_engine_can_not_do_is_not_offered(open_page, builtin):
    page = ready(open_page(builtin))
    assert page.locator("#cloning").is_hidden()
    assert page.locator("#moods").is_hidden()
    assert page.get_by_label("Speed").get_attribute("max") == "2"


def test_a_clip_is_uploaded_heard_and_spoken_with(open_page, running, stage, tmp_path):
    page = ready(open_page(running))
    page.get_by_text("Voices from a clip").click()
    page.get_by_label("Clip", exact=True).set_input_files(reference(tmp_path))
    assert page.get_by_label("Name").input_value() == "A-voice-1"
    page.wait_for_function("() => document.getElementById('preview').duration > 1.9")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("The owner of this voice agrees").check()
    page.get_by_role("button", name="Add voice").click()
    page.get_by_text("anna is chosen as voice.").wait_for()

    assert page.locator("#voice").input_value() == "anna"
    page.get_by_role("button", name="Speak").click()
    spoken(page)
    assert stage.said[-1].voice.endswith(".wav")
    assert page.locator("#clips .who").inner_text() == "anna"

    page.get_by_role("button", name="Delete anna").click()
    page.get_by_text("anna is deleted.").wait_for()
    assert page.locator("#voice").input_value() == "tone"


def test_an_upload_that_is_refused_is_told(open_page, running, tmp_path):
    page = ready(open_page(running, expected="status of 400"))
    page.get_by_text("Voices from a clip").click()
    page.get_by_label("Clip", exact=True).set_input_files(reference(tmp_path, 0.5))
    page.get_by_label("The owner of this voice agrees").check()
    page.get_by_role("button", name="Add voice").click()
    page.locator("#upload-problem").wait_for()
    assert "at least a second" in page.locator("#upload-problem").inner_text()


def test_without_consent_nothing_is_sent(open_page, running, tmp_path):
    page = ready(open_page(running))
    page.get_by_text("Voices from a clip").click()
    page.get_by_label("Clip", exact=True).set_input_files(reference(tmp_path))
    page.get_by_role("button", name="Add voice").click()
    assert page.evaluate("document.activeElement.id") == "consent"
    assert len(running.http.get("/v1/voices").json()["data"]) == 1


def test_emotions_are_weights_that_stay_together_below_the_limit(open_page, running, stage):
    page = ready(open_page(running))
    page.get_by_text("Emotion").click()
    page.get_by_label("happy").fill("0.6")
    page.get_by_label("calm").fill("0.8")
    assert page.get_by_label("calm").input_value() == "0.2"
    assert page.locator("#mood").inner_text() == "happy, calm"
    page.get_by_role("button", name="Speak").click()
    spoken(page)
    assert stage.said[-1].emotion.vector == (0.6, 0, 0, 0, 0, 0, 0, 0.2)


def test_a_server_with_a_key_asks_for_it(open_page, start):
    page = open_page(start(api_key="secret"), expected="status of 401")
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("alert").wait_for()
    page.get_by_label("API key").fill("secret")
    page.get_by_role("button", name="Use it").click()
    ready(page)
    page.get_by_role("button", name="Speak").click()
    spoken(page)


@pytest.mark.parametrize("key", ["ключ", "two words", "é"])
def test_what_can_be_no_key_is_told_and_not_kept(open_page, start, key):
    page = open_page(start(api_key="secret"))
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text().startswith("This can't be the key")
    assert page.evaluate("sessionStorage.getItem('key')") is None
    page.get_by_label("API key").fill(" secret ")
    page.get_by_role("button", name="Use it").click()
    ready(page)


def test_the_api_is_listed(open_page, running):
    page = open_page(running)
    page.get_by_role("link", name="API", exact=True).click()
    listed = page.locator(".call code b").all_inner_texts()
    assert "POST" in listed
    assert page.get_by_text("/v1/audio/speech").count() == 1
    assert page.get_by_text("response_format").count() >= 1


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 820, 1200])
def test_it_fits_the_screen_in_light_and_dark(open_page, running, path, scheme, width):
    page = open_page(running, path, viewport={"width": width, "height": 800}, color_scheme=scheme)
    if path == "/":
        ready(page)
        for name in ("Emotion", "Voices from a clip"):
            page.get_by_text(name).click()
        page.get_by_role("button", name="Speak").click()
        spoken(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert (page.evaluate(LUMINANCE) < 0.2) == (scheme == "dark")
    assert page.evaluate(NAMELESS) == []
