from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_toolkit.scripts.names import file_of, name_problems
from tts_toolkit.utterance import Source, Utterance


def utterances_called(*outputs):
    return [
        Utterance("Hi.", id=f"id{index}", source=Source("s.txt", index), output=output)
        for index, output in enumerate(outputs, start=1)
    ]


@pytest.fixture
def problems(tmp_path):
    def of(*outputs, inputs=()):
        return list(name_problems(utterances_called(*outputs), ".wav", tmp_path / "out", inputs))

    return of


GOOD = [
    *("000001", "a/b/c", "Kapitel 1/Über", "第一", "a.b.c", "~x", "-x", "a b", "console", "con1"),
    *("com10", "x-con", "nullify", "a" * 251, "…", "'quoted'", "a&b", "$HOME", "%41", "a.."),
]


@pytest.mark.parametrize("name", GOOD)
def test_a_plain_name_is_taken(problems, name):
    assert problems(name) == []


OUTSIDE = ["../x", "a/../../x", "a/../b", "/etc/x", "/", "//host/share", "C:/x", "c:x"]
UNUSABLE = [
    *(
        ("CON", "reserved"),
        ("con", "reserved"),
        ("con.txt", "reserved"),
        ("Aux.tar.gz", "reserved"),
    ),
    *(("nul/a", "reserved"), ("a/LPT1", "reserved"), ("COM0", "reserved"), ("com¹", "reserved")),
    *(("prn .x", "reserved"), (".hidden", "a dot"), ("a/.hidden/b", "a dot"), ("..", "a dot")),
    *(("", "a dot"), ("a/", "a dot"), ("a./b", "a dot"), (" a", "a space"), ("a /b", "a space")),
    *(("a//b", "plain path"), ("./a", "plain path"), ("a/./b", "plain path")),
    *((f"ab{char}cd", "not every system") for char in '<>:"\\|?*\t\n\r\x00\x1b\x7f\udcff'),
    *(("a" * 252, "longer than 255 bytes"), ("é" * 126, "longer than 255 bytes")),
    *(("a" * 256 + "/b", "longer than 255 bytes"), ("第" * 84, "longer than 255 bytes")),
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_outside_of_the_folder_is_refused(problems, name):
    [problem] = problems(name)
    assert str(problem).startswith("s.txt:1 id1 would write ")
    assert problem.reason.endswith(" outside of the output folder")


@pytest.mark.parametrize(("name", "reason"), UNUSABLE, ids=[repr(name) for name, _ in UNUSABLE])
def test_a_name_that_some_system_can_not_have_is_refused(problems, name, reason):
    [problem] = problems(name)
    assert str(problem).startswith("s.txt:1 id1 ")
    assert reason in problem.reason


def test_a_path_has_a_longest_length_too(problems):
    assert problems("/".join(["n" * 200] * 5)) == []
    [problem] = problems("/".join(["n" * 200] * 6))
    assert "is longer than 1024 bytes" in problem.reason


def test_the_suffix_counts_towards_the_length(tmp_path):
    long = utterances_called("a" * 250)
    assert not list(name_problems(long, ".mp3", tmp_path, ()))
    assert list(name_problems(long, ".opus.x", tmp_path, ()))


class TestCollisions:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("a", "a"),
            ("a", "A"),
            ("Straße", "STRASSE"),
            ("caf\u00e9", "cafe\u0301"),
            ("caf\u00c9", "CAFE\u0301"),
            ("x/a", "X/a"),
            ("\u1fb4", "\u03b1\u0345\u0301"),
            ("ﬁ", "FI"),
        ],
    )
    def test_two_names_that_are_one_somewhere(self, problems, first, second):
        [problem] = problems(first, "between", second)
        assert str(problem) == f"s.txt:3 id3 would write {second}.wav, and so would s.txt:1 (id1)"

    @pytest.mark.parametrize("pair", [("a", "a.wav/b"), ("A", "a.wav/b/c"), ("x/a", "x/a.WAV/b")])
    def test_a_file_where_another_needs_a_folder(self, problems, pair):
        [problem] = problems(*pair)
        assert "would write into " in problem.reason
        assert problem.reason.endswith("which is the file of s.txt:1 (id1)")
        [problem] = problems(*reversed(pair))
        assert problem.reason.endswith("which is the folder of s.txt:1 (id1)")

    def test_names_that_only_look_alike_live_together(self, problems):
        assert problems("a", "a/b", "a/b/c", "ab", "a b", "a-b", "a.b", "á") == []

    @pytest.mark.parametrize(("second", "spelled"), [("one", ""), ("ONE", ", spelled 'one'")])
    def test_an_id_is_given_once(self, tmp_path, second, spelled):
        given = [
            Utterance("Hi.", id="one", source=Source("s.txt", 1), output="a"),
            Utterance("Hi.", id=second, source=Source("s.txt", 2), output="b"),
        ]
        [problem] = name_problems(given, ".wav", tmp_path, ())
        said = f"the id '{second}' is already that of s.txt:1{spelled}"
        assert str(problem) == f"s.txt:2 {second} {said}"

    def test_every_later_one_is_told(self, problems):
        assert [problem.id for problem in problems("a", "b", "a", "B", "c", "a")] == [
            "id3",
            "id4",
            "id6",
        ]


class TestLinks:
    def test_a_link_that_leads_out_is_not_followed(self, problems, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
        reasons = [problem.reason for problem in problems("link/x", "link/deep/y", "z")]
        assert reasons == [
            f"would write link/x.wav outside of {tmp_path / 'out'}: link is a link",
            f"would write link/deep/y.wav outside of {tmp_path / 'out'}: link/deep is a link",
        ]

    def test_a_link_that_stays_inside_is_fine(self, problems, tmp_path):
        (tmp_path / "out" / "real").mkdir(parents=True)
        (tmp_path / "out" / "link").symlink_to("real")
        assert problems("link/x") == []

    def test_the_folder_itself_may_be_a_link(self, problems, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "out").symlink_to("elsewhere")
        assert problems("a", "b/c") == []


class TestInputs:
    def test_a_file_that_the_run_reads_is_not_overwritten(self, problems, tmp_path):
        sad = (tmp_path / "out" / "sad.wav").resolve()
        [problem] = problems("sad", "glad", inputs={sad})
        assert str(problem) == "s.txt:1 id1 would write sad.wav over a file that the script reads"

    def test_not_even_where_the_folder_is_reached_by_a_link(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "out").symlink_to("real")
        inputs = {(tmp_path / "real" / "sad.wav").resolve()}
        assert list(name_problems(utterances_called("sad"), ".wav", tmp_path / "out", inputs))


PARTS = st.one_of(
    st.sampled_from(
        [
            *(
                "..",
                ".",
                "",
                "out",
                "link",
                "inner",
                "a",
                "A",
                "a.wav",
                "A.WAV",
                "b",
                "é",
                "e\u0301",
            ),
            *(
                "É",
                "ß",
                "SS",
                "\u017f",
                "İ",
                "i",
                "CON",
                "nul.x",
                "C:",
                "\\",
                "x" * 256,
                "é" * 125,
                "~",
            ),
            *(" ", "a ", "a.", ".tts-toolkit", "\u202e", "\ufeff", "ﬁ", "fi", "\u1e9e", "K", "k"),
        ]
    ),
    st.text(max_size=4),
)
NAMES = st.lists(st.lists(PARTS, min_size=1, max_size=4).map("/".join), max_size=8)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    out = tmp_path_factory.mktemp("names") / "out"
    (out / "inner").mkdir(parents=True)
    (out / "link").symlink_to(out.parent)
    return out


@settings(deadline=None, max_examples=200)
@given(names=NAMES)
def test_what_is_accepted_stays_inside_and_never_meets(place, names):
    given = utterances_called(*names)
    refused = {problem.id for problem in name_problems(given, ".wav", place, ())}
    files = [file_of(one, ".wav") for one in given if one.id not in refused]
    assert all((place / file).resolve().is_relative_to(place.resolve()) for file in files)
    spelled = [
        unicodedata.normalize("NFC", unicodedata.normalize("NFC", file).casefold())
        for file in files
    ]
    assert len(set(spelled)) == len(files)
    assert not any(one.startswith(f"{other}/") for one in spelled for other in spelled)


@settings(deadline=None, max_examples=60)
@given(names=NAMES)
def test_what_is_accepted_can_be_written(tmp_path_factory, names):
    out = tmp_path_factory.mktemp("written") / "out"
    out.mkdir()
    given = utterances_called(*names)
    refused = {problem.id for problem in name_problems(given, ".wav", out, ())}
    accepted = [one for one in given if one.id not in refused]
    for one in accepted:
        path = out / file_of(one, ".wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one.id)
    written = {path.read_text() for path in out.rglob("*.wav") if path.is_file()}
    assert written == {one.id for one in accepted}
    assert list(out.parent.iterdir()) == [out]
