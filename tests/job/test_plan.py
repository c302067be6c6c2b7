from hypothesis import given
from hypothesis import strategies as st

from tts_toolkit.job.plan import Wanted, make_plan
from tts_toolkit.manifest import Entry
from tts_toolkit.utterance import Utterance


def wanted(keys, selected=()):
    """Utterances numbered from 1; all selected unless some are named."""
    return [
        Wanted(
            Utterance(key, id=f"{number:06}"),
            key,
            f"{number:06}.wav",
            selected=not selected or number in selected,
        )
        for number, key in enumerate(keys, start=1)
    ]


def entries(keys):
    return {
        f"{number:06}": Entry(f"{number:06}", key, f"{number:06}.wav" if key else None, 0)
        for number, key in enumerate(keys, start=1)
    }


def present(found):
    return {entry.file for entry in found.values() if entry.file}


def plan(old, new, **how):
    found = entries(old)
    return make_plan(wanted(new, how.pop("selected", ())), found, present(found), **how)


def test_nothing_is_done_twice():
    done = plan("abc", "abc")
    assert (done.reused, done.moves, done.make, done.dropped) == (3, [], (), ())


def test_a_line_at_the_top_moves_the_rest_and_makes_one():
    done = plan("abc", "xabc")
    assert [one.key for one in done.make] == ["x"]
    assert done.moves == [
        ("000001.wav", "000002.wav"),
        ("000002.wav", "000003.wav"),
        ("000003.wav", "000004.wav"),
    ]
    assert (done.reused, done.renamed, done.dropped) == (0, 3, ())


def test_an_edited_line_is_made_and_stands_until_it_is():
    done = plan("abc", "aBc")
    assert [one.key for one in done.make] == ["B"]
    assert done.replaced == {"000002": "000002.wav"}
    assert (done.reused, done.moves, done.dropped) == (2, [], ())
    assert [kept.id for kept in done.kept] == ["000001", "000002", "000003"]


def test_a_deleted_line_keeps_its_clip_under_the_name_that_became_free():
    done = plan("abc", "ac")
    assert done.make == ()
    assert done.moves == [("000003.wav", "000002.wav"), ("000002.wav", "000003.wav")]
    assert (done.reused, done.renamed, done.stale, done.dropped) == (1, 1, 1, ())


def test_prune_deletes_what_the_script_no_longer_has():
    done = plan("abc", "ac", prune=True)
    assert done.dropped == ("000002.wav",)
    assert (done.renamed, done.stale, done.pruned) == (1, 0, 1)
    assert plan("abc", "ab", prune=True).dropped == ("000003.wav",)


def test_swapped_lines_swap_their_names():
    done = plan("ab", "ba")
    assert done.moves == [("000002.wav", "000001.wav"), ("000001.wav", "000002.wav")]
    assert done.make == ()


def test_equal_lines_move_no_more_than_they_must():
    done = plan("aa", "aaa")
    assert [one.utterance.id for one in done.make] == ["000003"]
    assert done.moves == []


def test_a_failed_row_is_tried_again_and_serves_nobody():
    done = plan(["a", None], ["a", "b"])
    assert [one.key for one in done.make] == ["b"]
    assert done.reused == 1


def test_a_row_whose_file_is_gone_is_made_again():
    found = entries("ab")
    done = make_plan(wanted("ab"), found, {"000001.wav"})
    assert [one.key for one in done.make] == ["b"]


def test_lines_that_were_not_selected_keep_what_they_have():
    done = plan(["a", "b", None], "aBcd", selected={1})
    assert done.make == ()
    assert done.waiting == 3
    assert [kept.id for kept in done.kept] == ["000001", "000002", "000003"]
    assert done.replaced == {}


def test_a_new_line_that_takes_the_name_of_a_clip_without_a_line_replaces_it():
    found = {"old": Entry("old", "a", "x.wav", 0)}
    new = [Wanted(Utterance("b", id="new"), "b", "x.wav")]
    done = make_plan(new, found, {"x.wav"})
    assert done.dropped == ("x.wav",)
    assert done.kept == ()


KEYS = st.lists(st.sampled_from("abcdefg"), max_size=12)


@given(
    old=st.lists(st.sampled_from([*"abcdefg", None]), max_size=12),
    new=KEYS,
    prune=st.booleans(),
    selected=st.sets(st.integers(1, 12)),
)
def test_carried_out_it_gives_the_script_its_audio_and_loses_none(old, new, prune, selected):
    """Carry a plan out on a dictionary of files, and look at what is there."""
    found = entries(old)
    disk = {entry.file: entry.key for entry in found.values() if entry.file}
    before = sorted(disk.values())
    script = wanted(new, selected)
    done = make_plan(script, found, present(found), prune=prune)

    for file in done.dropped:
        del disk[file]
    moved = {new_file: disk.pop(file) for file, new_file in done.moves}
    assert not moved.keys() & disk.keys()
    disk |= moved
    for kept in done.kept:
        assert kept.file is None or disk[kept.file] == kept.entry.key
    assert len({kept.id for kept in done.kept}) == len(done.kept)
    assert {kept.file for kept in done.kept if kept.file} == set(disk)
    for one in done.make:
        disk[one.file] = one.key

    for one in script:
        if one.selected:
            assert disk[one.file] == one.key
    ready = done.reused + done.renamed
    assert ready + len(done.make) + done.waiting == len(script)
    lost = list(before)
    for key in disk.values():
        if key in lost:
            lost.remove(key)
    if not prune:
        assert len(lost) <= len(done.make)
