"""The page as a browser shows it."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile as sf

pytestmark = pytest.mark.chromium

NASTY = """<script>document.title = "owned"</script> "quoted" </style>"""
LUMINANCE = """() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g);
    return (0.3 * r + 0.6 * g + 0.1 * b) / 255;
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory, make_row, render_to):
    """Six utterances: two failed (one of them with a warning), one more with a warning."""
    folder = tmp_path_factory.mktemp("report #1 100%")
    files = {1: "a b#1?100%.wav", 2: "声.wav", 3: "3.wav", 4: "x/4.wav"}
    (folder / "x").mkdir()
    for number, file in files.items():
        samples = 0.4 * np.sin(np.arange(3 * 24000) / (10 * number))
        sf.write(folder / file, samples.astype(np.float32), 24000)
    rows = [make_row(n, file=file, duration_s=3.0) for n, file in files.items()]
    rows += [
        make_row(5, failed=True, text="One word: Rindfleischetikettierungsüberwachung" * 3),
        make_row(6, failed=True, text=NASTY, warnings=["clipped: the peak was 1.07"]),
        make_row(7, text="The Keeper of the lighthouse", warnings=["too short"], file="gone.wav"),
    ]
    return render_to(folder, rows, title=NASTY)


@pytest.fixture
def open_page(browser, report):
    """Open the page; at the end, nothing may have been asked of anyone or complained about."""
    complaints, requests, opened = [], [], []

    def open_(**options):
        page = browser.new_page(**options)
        opened.append(page)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(report.as_uri())
        return page

    yield open_
    for page in opened:
        page.close()
    folder = report.parent.as_uri() + "/"
    assert not complaints
    assert [url for url in requests if not url.startswith((folder, "data:"))] == []


def shown(page):
    return [row.inner_text() for row in page.locator(".clips > li:visible .id").all()]


def moves(page, number):
    """Wait until the player of an utterance has moved on."""
    page.wait_for_function(
        "n => document.querySelectorAll('audio')[n - 1].currentTime > 0.2", arg=number
    )
    return True


def test_click_on_play_is_heard(open_page):
    page = open_page()
    # The button is the left end of the browser's own controls.
    page.locator("audio").nth(0).click(position={"x": 26, "y": 18})

    assert moves(page, 1)


def test_player_obeys_the_keyboard(open_page):
    page = open_page()
    page.locator("audio").nth(1).focus()
    page.keyboard.press("Space")

    assert moves(page, 2)


def test_click_on_the_waveform_plays_from_there_and_stops_the_others(open_page):
    page = open_page()
    players, waves = page.locator("audio"), page.locator(".wave")
    waves.nth(2).click(position={"x": 2, "y": 20})
    assert moves(page, 3)
    waves.nth(3).click(position={"x": waves.nth(3).bounding_box()["width"] / 2, "y": 20})
    assert moves(page, 4)

    assert players.nth(2).evaluate("a => a.paused")
    assert not players.nth(3).evaluate("a => a.paused")
    assert players.nth(3).evaluate("a => a.currentTime") > 1.4
    clip = waves.nth(3).locator(".played").evaluate("s => s.style.clipPath")
    assert 20 < float(clip.split()[1].rstrip("%")) <= 50


def test_filters_and_their_count(open_page):
    page = open_page()
    assert shown(page) == ["u5", "u6", "u1", "u2", "u3", "u4", "u7"]
    count = page.get_by_role("status")
    assert count.inner_text() == "7 utterances"

    page.get_by_role("checkbox", name="Failed only").focus()
    page.keyboard.press("Space")
    assert shown(page) == ["u5", "u6"]
    assert count.inner_text() == "2 of 7"

    page.get_by_role("checkbox", name="With warnings").check()
    assert shown(page) == ["u6"]

    page.get_by_role("checkbox", name="Failed only").uncheck()
    assert shown(page) == ["u6", "u7"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("keeper", ["u7"]),
        ("  SENTENCE 3 ", ["u3"]),
        ("u2", ["u2"]),
        ("</style>", ["u6"]),
        ("ÜBERWACHUNG", ["u5"]),
        ("not there", []),
    ],
)
def test_search_is_of_text_and_id(open_page, wanted, found):
    page = open_page()
    page.get_by_role("searchbox").fill(wanted)

    assert shown(page) == found
    assert page.locator("#empty").is_visible() == (not found)
    assert page.get_by_role("status").inner_text() == f"{len(found)} of 7"


def test_script_in_a_text_does_not_run(open_page):
    page = open_page()

    assert page.title() == NASTY
    assert page.locator("h1").inner_text() == NASTY


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1200])
def test_page_fits_the_screen_in_light_and_dark(open_page, scheme, width):
    page = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme)

    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert (page.evaluate(LUMINANCE) < 0.2) == (scheme == "dark")
    assert page.locator(".chart svg").bounding_box()["width"] <= width
    page.locator(".clips > li:last-child audio").scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") == width
