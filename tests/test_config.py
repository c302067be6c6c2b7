from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.cli.models import download
from tts_toolkit.cli.synth import synth
from tts_toolkit.config import ENV_PREFIX, MAX_SEED, RULES, Options, resolve
from tts_toolkit.config import settings as settings_of
from tts_toolkit.errors import OptionError
from tts_toolkit.rule import check, hint

# Three values that each option can have, as strings and as what they become; none is the default.
VALUES = {
    "model": [("builtin", "builtin"), ("indextts-2.5", "indextts-2.5"), ("auto", "auto")],
    "model_dir": [(name, Path(name)) for name in ("a", "b/c", "/d")],
    "voice": [(name, name) for name in ("heart", "emma", "clip.wav")],
    "lang": [(name, name) for name in ("en", "zh", "ja")],
    "device": [(name, name) for name in ("cpu", "cuda:1", "cuda:all")],
    "dtype": [(name, name) for name in ("float32", "bfloat16", "float16")],
    "seed": [("1", 1), ("4294967295", MAX_SEED), ("12", 12)],
    "takes": [("2", 2), ("3", 3), ("1000", 1000)],
    "speed": [("0.5", 0.5), ("2", 2.0), ("1.25", 1.25)],
    "workers": [("1", 1), ("2", 2), ("auto", "auto")],
    "batch_size": [("1", 1), ("64", 64), ("auto", "auto")],
    "emotion_audio": [(name, Path(name)) for name in ("a.wav", "b/c.mp3", "/d.flac")],
    "emotion_text": [(name, name) for name in ("trembling", "full of joy", "悲伤")],
    "emotion_vector": [
        ("happy=0.4,calm=0.2", (0.4, 0, 0, 0, 0, 0, 0, 0.2)),
        ("0,0,0.6,0,0,0,0,0", (0, 0, 0.6, 0, 0, 0, 0, 0)),
        (" Sad = 0.8 ", (0, 0, 0.8, 0, 0, 0, 0, 0)),
    ],
    "emotion_weight": [("0", 0.0), ("0.6", 0.6), ("0.25", 0.25)],
    "quality": [(name, name) for name in ("balanced", "fast", "fidelity")],
    "diffusion_steps": [("1", 1), ("25", 25), ("200", 200)],
    "cfg_rate": [("0", 0.0), ("1.5", 1.5), ("5", 5.0)],
    "temperature": [("0", 0.0), ("1", 1.0), ("0.5", 0.5)],
    "top_k": [("0", 0), ("1", 1), ("8194", 8194)],
    "top_p": [("0.01", 0.01), ("1", 1.0), ("0.5", 0.5)],
    "repetition_penalty": [("1", 1.0), ("1.5", 1.5), ("100", 100.0)],
    "max_codes": [("1", 1), ("100", 100), ("1815", 1815)],
    "segment_tokens": [("8", 8), ("60", 60), ("600", 600)],
    "glossary": [(name, Path(name)) for name in ("a.yaml", "b/c.json", "/d")],
    "raw": [("yes", True), ("no", False), ("1", True)],
    "no_normalize": [("true", True), ("off", False), ("on", True)],
    "deterministic": [("yes", True), ("no", False), ("1", True)],
    "cuda_graphs": [("true", True), ("off", False), ("on", True)],
    "format": [(name, name) for name in ("flac", "opus", "mp3")],
    "subtype": [(name, name) for name in ("PCM_24", "FLOAT", "pcm_16")],
    "sampling_rate": [("8000", 8000), ("48000", 48_000), ("192000", 192_000)],
    "columns": [
        ("text=Line", {"text": "Line"}),
        ("text = A , id=B", {"text": "A", "id": "B"}),
        ("text=a=b", {"text": "a=b"}),
    ],
    "script_format": [(name, name) for name in ("txt", "jsonl", "csv")],
    "fail_fast": [("yes", True), ("no", False), ("1", True)],
    "offline": [("true", True), ("off", False), ("on", True)],
    "source": [(name, name) for name in ("modelscope", "huggingface", "modelscope")],
    "accept_license": [("1", True), ("no", False), ("on", True)],
    "progress": [(name, name) for name in ("bar", "json", "none")],
}


@pytest.fixture
def on_file(tmp_path):
    """Write a config file."""

    def write(text):
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_option_is_tested():
    assert list(VALUES) == list(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(name, on_file):
    (flag, as_flag), (env, as_env), (file, as_file) = VALUES[name]
    where = {
        "environ": {ENV_PREFIX + name.upper(): env},
        "config_file": on_file(f'{name}: "{file}"\n'),
    }

    def value(explicit, **how):
        return getattr(resolve(explicit, **{"environ": {}, **how}), name)

    assert value({name: flag}, **where) == as_flag
    assert value({}, **where) == as_env
    assert value({name: None}, **where) == as_env
    assert value({}, config_file=where["config_file"]) == as_file
    assert value({}) == getattr(Options(), name)


@pytest.mark.parametrize("name", RULES)
def test_an_option_has_one_name_by_every_door(name, on_file):
    flag = f"--{name.replace('_', '-')}"
    on_the_command_line = [
        one for command in (synth, download) for one in command.params if one.name == name
    ]
    assert {tuple(one.opts) for one in on_the_command_line} == {(flag,)}
    assert name in Options.__dataclass_fields__
    (text, value), *_ = VALUES[name]
    assert getattr(resolve({name: text}, environ={}), name) == value
    assert getattr(resolve({}, environ={f"TTS_TOOLKIT_{name.upper()}": text}), name) == value
    written = on_file(f"{name}: {text}\n")
    assert getattr(resolve({}, environ={}, config_file=written), name) == value


def test_the_command_line_has_no_value_of_its_own_for_an_option():
    both = (*synth.params, *download.params)
    params = {param.name: param for param in both if isinstance(param, click.Option)}
    assert all(params[name].default is None for name in RULES)


def test_each_setting_says_where_it_comes_from(on_file):
    file = on_file("voice: emma\nformat: flac\n")
    env = {"TTS_TOOLKIT_FORMAT": "ogg", "TTS_TOOLKIT_SEED": "7"}
    found = {
        one.name: (one.value, one.origin)
        for one in settings_of({"seed": 3}, environ=env, config_file=file)
    }
    assert list(found) == list(RULES)
    assert found["seed"] == (3, "flag")
    assert found["format"] == ("ogg", "environment")
    assert found["voice"] == ("emma", "config")
    assert found["speed"] == (1.0, "default")


def test_the_process_s_environment_is_the_one_that_counts(monkeypatch):
    monkeypatch.setenv("TTS_TOOLKIT_SPEED", "1.5")
    assert resolve({}).speed == 1.5


def test_values_with_their_own_types_are_taken_as_they_are():
    given = {
        "seed": 5,
        "speed": 2,
        "model_dir": Path("x"),
        "offline": True,
        "columns": {"text": "Line"},
    }
    found = resolve(given, environ={})
    assert {name: getattr(found, name) for name in given} == given


def test_yaml_s_own_types_are_taken(on_file):
    found = resolve(
        {},
        environ={},
        config_file=on_file(
            "seed: 5\nspeed: 1.5\noffline: true\nworkers: auto\nvoice: null\n"
            "columns:\n  text: Line\n  id: Key\n"
        ),
    )
    assert (found.seed, found.speed, found.offline, found.workers, found.voice) == (
        5,
        1.5,
        True,
        "auto",
        None,
    )
    assert found.columns == {"text": "Line", "id": "Key"}


def test_the_default_of_every_option_is_a_value_that_it_can_have():
    for name, rule in RULES.items():
        default = getattr(Options(), name)
        if default is not None:
            assert check(default, rule) == default


@pytest.mark.parametrize("name", ["missing.yaml", "missing/config.yaml"])
def test_a_config_file_that_is_not_there_says_nothing(tmp_path, name):
    assert resolve({}, environ={}, config_file=tmp_path / name) == Options()


def test_a_config_file_that_the_environment_names_has_to_be_there(tmp_path):
    path = tmp_path / "missing.yaml"
    with pytest.raises(OptionError) as error:
        resolve({"seed": -1}, environ={"TTS_TOOLKIT_CONFIG": str(path)}, config_file=path)
    assert str(error.value).splitlines() == [
        f"TTS_TOOLKIT_CONFIG: there is no file {path}",
        "--seed: -1 is not between 0 and 4294967295",
    ]


def test_the_null_device_is_no_config_file():
    environ = {"TTS_TOOLKIT_CONFIG": os.devnull}
    assert resolve({}, environ=environ, config_file=Path(os.devnull)) == Options()


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n"])
def test_an_empty_config_file_says_nothing(on_file, text):
    assert resolve({}, environ={}, config_file=on_file(text)) == Options()


class TestWhatIsWrong:
    def test_a_bad_flag_is_named(self):
        with pytest.raises(
            OptionError, match=r"^--sampling-rate: 100 is not between 8000 and 192000"
        ):
            resolve({"sampling_rate": 100}, environ={})

    def test_a_bad_environment_variable_is_named(self):
        with pytest.raises(OptionError, match=r"^TTS_TOOLKIT_SPEED: 'fast' is not a number$"):
            resolve({}, environ={"TTS_TOOLKIT_SPEED": "fast"})

    def test_a_bad_line_of_the_file_is_named_with_the_file(self, on_file):
        file = on_file("format: mp4\n")
        with pytest.raises(OptionError) as error:
            resolve({}, environ={}, config_file=file)
        assert str(error.value) == (
            f"{file}: format: 'mp4' is not one of wav, flac, ogg, opus, mp3. Did you mean \"mp3\"?"
        )

    def test_a_bad_value_that_a_better_door_replaces_does_not_matter(self, on_file):
        file = on_file("format: mp4\n")
        assert resolve({"format": "wav"}, environ={}, config_file=file).format == "wav"

    def test_everything_is_told_at_once(self, on_file):
        file = on_file("lang: xx\nfromat: wav\n")
        with pytest.raises(OptionError) as error:
            resolve({"seed": -1, "sped": 2}, environ={"TTS_TOOLKIT_TAKES": "0"}, config_file=file)
        assert str(error.value).split("\n") == [
            "unknown option 'sped'. Did you mean \"speed\"?",
            f"{file}: unknown option 'fromat'. Did you mean \"format\"?",
            f"{file}: lang: 'xx' is not one of auto, en, zh, ja, es, ar",
            "--seed: -1 is not between 0 and 4294967295",
            "TTS_TOOLKIT_TAKES: 0 is not between 1 and 1000",
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "format: [flac",
            "a: b: c",
            "\tformat: flac",
            "format: flac\nformat: wav\n",
            "voice: ${nowhere}",
            "voice: !!int x",
            "5",
            "\x00",
            "a: &a [*a]",
            "seed: !!int",
            "offline: !!bool x",
        ],
    )
    def test_a_file_that_is_no_yaml_is_named(self, on_file, text):
        file = on_file(text)
        with pytest.raises(OptionError) as error:
            resolve({}, environ={}, config_file=file)
        assert str(error.value).startswith(f"{file} can't be read as YAML: ")

    def test_a_file_in_another_encoding_is_named(self, on_file):
        file = on_file("")
        file.write_bytes(b"voice: caf\xe9")
        with pytest.raises(OptionError, match="can't be read as YAML"):
            resolve({}, environ={}, config_file=file)

    @pytest.mark.parametrize("text", ["- format\n- flac\n", "[]"])
    def test_a_file_that_is_no_mapping_is_told_how_it_should_look(self, on_file, text):
        file = on_file(text)
        with pytest.raises(OptionError) as error:
            resolve({}, environ={}, config_file=file)
        assert str(error.value) == f"{file}: expected lines such as `format: flac`"

    @pytest.mark.parametrize(
        ("name", "raw", "message"),
        [
            ("model", "indextts", 'is not one of auto, builtin, indextts-2.5. Did you mean "index'),
            ("model", "", "'' is not a word"),
            ("model", ["builtin"], "['builtin'] is not a word"),
            ("model_dir", 5, "5 is not a path"),
            ("model_dir", "", "'' is not a path"),
            ("model_dir", "a\0b", "is not a path"),
            ("lang", False, "False is not a word"),
            (
                "device",
                "gpu",
                "'gpu' is not a device; use auto, cpu, mps, cuda, cuda:N or cuda:all",
            ),
            ("device", "cuda:", "is not a device"),
            ("device", "cuda:-1", "is not a device"),
            ("seed", "1e10", "'1e10' is not a whole number"),
            ("seed", "4294967296", "4294967296 is not between 0 and 4294967295"),
            ("seed", 1.5, "1.5 is not a whole number"),
            ("seed", True, "True is not a whole number"),
            ("seed", [1], "[1] is not a whole number"),
            ("seed", float("nan"), "nan is not a whole number"),
            ("seed", float("inf"), "inf is not a whole number"),
            ("seed", "9" * 5000, "is not a whole number"),
            ("speed", "nan", "nan is not between 0.25 and 4"),
            ("speed", "inf", "inf is not between 0.25 and 4"),
            ("speed", None, "None is not a number"),
            ("workers", "0", "0 is not between 1 and 256, or auto"),
            ("workers", "many", "'many' is not a whole number, or auto"),
            ("columns", "text", "'text' is not FIELD=COLUMN, as in text=Line,voice=Character"),
            ("columns", "text=", "is not FIELD=COLUMN"),
            ("columns", "=Line", "is not FIELD=COLUMN"),
            ("columns", "text=a,,id=b", "'' is not FIELD=COLUMN"),
            ("columns", "text=a,text=b", "'text' is there twice"),
            ("columns", "text=a,id=a", "'a' is there twice"),
            ("columns", {"text": "a", "id": "a"}, "'a' is there twice"),
            ("offline", "perhaps", "'perhaps' is not yes or no"),
            ("offline", 2, "2 is not yes or no"),
        ],
    )
    def test_a_value_is_refused_with_what_it_may_be(self, name, raw, message):
        with pytest.raises(OptionError) as error:
            check(raw, RULES[name])
        assert message in str(error.value)


class TestOffline:
    @pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
    def test_hugging_face_s_switch_counts(self, word):
        [found] = [
            one for one in settings_of({}, environ={"HF_HUB_OFFLINE": word}) if one.value is True
        ]
        assert (found.name, found.origin) == ("offline", "environment")

    @pytest.mark.parametrize("word", ["", "0", "no"])
    def test_hugging_face_s_switch_may_be_off(self, word):
        assert not resolve({}, environ={"HF_HUB_OFFLINE": word}).offline

    @pytest.mark.parametrize("door", ["flag", "environment", "file"])
    def test_ours_goes_before_it(self, door, on_file):
        explicit = {"offline": False} if door == "flag" else {}
        env = {"TTS_TOOLKIT_OFFLINE": "0"} if door == "environment" else {}
        file = on_file("offline: false\n") if door == "file" else None
        found = resolve(explicit, environ={**env, "HF_HUB_OFFLINE": "1"}, config_file=file)
        assert not found.offline


@pytest.mark.parametrize(
    ("word", "known", "text"),
    [
        ("formt", ["format", "force"], '. Did you mean "format"?'),
        ("HART", ["heart", "emma"], '. Did you mean "heart"?'),
        ("pcm_25", ["PCM_16", "PCM_24"], '. Did you mean "PCM_24"?'),
        ("line", ["Line", "Key"], '. Did you mean "Line"?'),
        ("xyz", ["format"], ""),
        ("", ["format"], ""),
    ],
)
def test_the_nearest_word_is_suggested_whatever_its_case(word, known, text):
    assert hint(word, known) == text


@settings(deadline=None, max_examples=300)
@given(
    name=st.sampled_from(list(RULES)),
    raw=st.text()
    | st.sampled_from(["1_0", " 5 ", "1e999", "-0", "0x10", "٣", "9" * 5000, "nan", "a=b,c=d", "="])
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.lists(st.text(max_size=3), max_size=2),
)
def test_no_value_brings_the_check_down(name, raw):
    try:
        value = check(raw, RULES[name])
    except OptionError:
        return
    rule = RULES[name]
    assert check(value, rule) == value
    if isinstance(value, int | float) and not isinstance(value, bool):
        assert rule.least <= value <= rule.most
    elif rule.choices:
        assert value in rule.choices


@settings(deadline=None, max_examples=200)
@given(
    st.binary()
    | st.lists(
        st.sampled_from(
            [
                "format",
                "seed",
                ": ",
                "\n",
                "- ",
                "{",
                "}",
                "[",
                "]",
                "*a",
                "&a ",
                "!!int ",
                "${",
                "1",
            ]
        )
    ).map(lambda parts: "".join(parts).encode())
)
def test_no_config_file_brings_it_down(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "property.yaml"
    path.write_bytes(data)
    try:
        found = resolve({}, environ={}, config_file=path)
    except OptionError:
        return
    assert isinstance(found, Options)
