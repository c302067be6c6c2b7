"""From scripts to what is wanted: defaults, takes, rerolls, selection, and every refusal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tts_toolkit.config import MAX_SEED
from tts_toolkit.engines.request import check_options, complete
from tts_toolkit.errors import OptionError, Problem, ScriptError
from tts_toolkit.job.key import resume_key
from tts_toolkit.job.plan import Wanted
from tts_toolkit.rule import hint
from tts_toolkit.scripts.names import file_of, name_problems

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tts_toolkit.audio.formats import AudioFormat
    from tts_toolkit.config import Options
    from tts_toolkit.engines.base import EngineSpec
    from tts_toolkit.scripts.read import Script
    from tts_toolkit.utterance import Utterance

# A reroll moves the seed this far: a prime beyond any number of takes, so that they never meet.
_REROLL = 1_000_003


@dataclass(frozen=True)
class Selection:
    """Which utterances a run may make; the others keep what they have.

    Attributes:
        only: ids (a line's stands for all of its takes); a number may go without its zeros.
        limit: the first so many lines.
        reroll: ids that get another seed, for this run and later ones.
    """

    only: Sequence[str] = ()
    limit: int | None = None
    reroll: Sequence[str] = ()


@dataclass(frozen=True)
class Prepared:
    """A script that is ready to be planned.

    Attributes:
        wanted: every utterance, with its key and file.
        rerolls: the folder's, with this run's.
    """

    wanted: tuple[Wanted, ...]
    rerolls: Mapping[str, int]


def prepare(
    script: Script,
    spec: EngineSpec,
    options: Options,
    audio: AudioFormat,
    out: Path,
    *,
    selection: Selection,
    rerolls: Mapping[str, int],
) -> Prepared:
    """Check everything that can be checked without the model.

    Raises:
        ScriptError: with every problem of the script.
        OptionError: if the selection names an id that is not there, or a voice that is unknown.
        VoiceMissingError: if a voice's data is not here.
    """
    check_options(options, spec)
    utterances = [take for one in script.utterances for take in _takes(one, options.takes)]
    _check(script, utterances, spec, audio, out)
    whole = [complete(one, spec.info, options) for one in utterances]
    digests = {voice: spec.voice_sha256(voice) for voice in {str(one.voice) for one in whole}}
    moods = {clip: _clip_sha256(clip) for one in whole if (clip := _mood_of(one))}

    ids = {one.id for one in utterances}
    rerolled = {_find(name, ids, "--reroll") for name in selection.reroll}
    only = {_find(name, ids, "--only") for name in selection.only}
    counts = dict(rerolls)
    occurrences: dict[str, int] = {}
    wanted = []
    for one in whole:
        digest = digests[str(one.voice)]
        mood = moods.get(_mood_of(one))
        key = resume_key(one, digest, spec.info, audio, mood_sha256=mood)
        # A reroll follows its line by what it says, and equal lines are told apart by their order.
        occurrence = occurrences[key] = occurrences.get(key, -1) + 1
        line = f"{key}.{occurrence}" if occurrence else key
        if one.id in rerolled:
            counts[line] = counts.get(line, 0) + 1
        if line in counts:
            assert one.seed is not None
            one = replace(one, seed=(one.seed + _REROLL * counts[line]) % (MAX_SEED + 1))  # noqa: PLW2901
            key = resume_key(one, digest, spec.info, audio, mood_sha256=mood)
        line_id = one.id.removesuffix(_take_suffix(one.take))
        selected = not only or one.id in only or line_id in only
        wanted.append(Wanted(one, key, file_of(one, audio.suffix), digest, selected))
    limit = len(script.utterances) if selection.limit is None else selection.limit
    return Prepared(tuple(_limited(wanted, limit * options.takes)), counts)


def _mood_of(utterance: Utterance) -> str:
    """The clip that gives its emotion, or ""."""
    return (utterance.emotion and utterance.emotion.audio) or ""


def _clip_sha256(path: str) -> str:
    try:
        return sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise OptionError(f"--emotion-audio {path}: {error.strerror}") from error


def _takes(utterance: Utterance, takes: int) -> Iterator[Utterance]:
    """The utterance and its further takes, each with an index, id and file of its own."""
    if takes == 1:
        yield utterance
        return
    for take in range(takes):
        index = (utterance.index - 1) * takes + take + 1
        suffix = _take_suffix(take)
        yield replace(
            utterance,
            index=index,
            id=utterance.id + suffix,
            output=utterance.output + suffix,
            take=take,
        )


def _take_suffix(take: int) -> str:
    return f"_take{take}" if take else ""


def _check(
    script: Script,
    utterances: Sequence[Utterance],
    spec: EngineSpec,
    audio: AudioFormat,
    out: Path,
) -> None:
    """Raise everything that is wrong with the script, at once.

    A text that can't be spoken fails its own line only, unless no line is left.
    """
    problems = list(script.problems)
    for one in script.utterances:
        reason = spec.refuse(one)
        if reason:
            problems.append(Problem(one.source, one.id, reason))
    problems += name_problems(utterances, audio.suffix, out, script.inputs)
    if not problems:
        mute = [(one, spec.unspeakable(one.text)) for one in script.utterances]
        if all(reason for _, reason in mute):
            problems = [Problem(one.source, one.id, reason) for one, reason in mute]
    if problems:
        place = {one.source: one.index for one in utterances}
        raise ScriptError(sorted(problems, key=lambda problem: place.get(problem.source, 0)))


def _find(name: str, ids: Collection[str], option: str) -> str:
    """The id that a user means: as it stands, or a number without its zeros."""
    for candidate in (name, name.zfill(6)):
        if candidate in ids:
            return candidate
    raise OptionError(f"{option} {name}: the script has no such id{hint(name, ids)}")


def _limited(wanted: Iterable[Wanted], limit: int) -> Iterator[Wanted]:
    for number, one in enumerate(wanted):
        yield one if number < limit else replace(one, selected=False)
