"""What a run has to do: which clips it has, which only need another name, which are to be made.

A pure function of the script, the manifest and the files that are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tts_toolkit.manifest import Entry
    from tts_toolkit.utterance import Utterance


@dataclass(frozen=True, slots=True)
class Wanted:
    """An utterance of the script: the audio that it should have, and where.

    Attributes:
        utterance: complete.
        key: its resume key.
        file: its audio file, relative to the output folder.
        voice_sha256: digest of its voice's content.
        selected: whether this run may make it (``--only``, ``--limit``).
    """

    utterance: Utterance
    key: str
    file: str
    voice_sha256: str = ""
    selected: bool = True


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry of the manifest that stays, and the id and file that it has from now on.

    Attributes:
        entry: as it is now.
        wanted: the utterance that it serves, or None if the script no longer has it.
        id: its id from now on.
        file: its file from now on.
    """

    entry: Entry
    wanted: Wanted | None
    id: str
    file: str | None

    @property
    def moves(self) -> bool:
        """Whether its file gets another name."""
        return self.file != self.entry.file

    @property
    def serves(self) -> bool:
        """Whether it is the audio that its utterance should have."""
        return (
            self.file is not None and self.wanted is not None and self.wanted.key == self.entry.key
        )


@dataclass(frozen=True)
class Plan:
    """A run's work.

    Attributes:
        kept: entries that stay, in the script's order, those without an utterance last.
        make: utterances without audio that this run makes, in order.
        waiting: how many more have none but were not selected.
        dropped: audio files to delete: pruned ones, and ones whose place is taken.
        replaced: id → file of an entry that stays until its line is made anew.
        pruned: how many clips the script no longer has and are deleted.
    """

    kept: tuple[Kept, ...]
    make: tuple[Wanted, ...]
    waiting: int
    dropped: tuple[str, ...]
    replaced: Mapping[str, str]
    pruned: int

    @property
    def moves(self) -> list[tuple[str, str]]:
        """(file, new file) for each clip that gets another name."""
        return [
            (kept.entry.file, kept.file)
            for kept in self.kept
            if kept.moves and kept.entry.file and kept.file
        ]

    @property
    def renamed(self) -> int:
        """How many utterances of the script have their clip under another name."""
        return sum(kept.serves and kept.moves for kept in self.kept)

    @property
    def reused(self) -> int:
        """How many utterances of the script have their clip in place."""
        return sum(kept.serves and not kept.moves for kept in self.kept)

    @property
    def stale(self) -> int:
        """How many clips the script no longer has."""
        return sum(kept.wanted is None for kept in self.kept)


def make_plan(
    script: Sequence[Wanted],
    entries: Mapping[str, Entry],
    present: Collection[str],
    *,
    prune: bool = False,
) -> Plan:
    """Compare a script with a folder.

    A clip serves the utterance that has its key, under whatever id it was made: first the one of
    its own id, then any other, which renames it. A clip that no utterance has any more stays. If
    its id is taken over by another clip, it gets an id that became free; if there is none, a new
    clip takes its place, as it does an edited line's.

    Args:
        script: every utterance, with its key.
        entries: the manifest, by id.
        present: the audio files that are there.
        prune: whether to delete what the script no longer has.
    """
    usable = {e.id: e for e in entries.values() if e.file is not None and e.file in present}
    serving = _match(script, usable)
    served = {entry.id for entry in serving.values()}
    by_id = {wanted.utterance.id: wanted for wanted in script}
    owner = {wanted.file: wanted.utterance.id for wanted in script}
    spare = [entry for entry in usable.values() if entry.id not in served]

    # Rows of the script that have no audio, or other audio than they should.
    standing: dict[str, Kept] = {
        entry.id: Kept(entry, by_id[entry.id], entry.id, None)
        for entry in entries.values()
        if entry.file is None and entry.id in by_id
    }
    stale, homeless, replaced, dropped, pruned = [], [], {}, [], 0
    for entry in spare:
        wanted = by_id.get(entry.id)
        assert entry.file is not None
        taken_over = entry.id in serving or owner.get(entry.file, entry.id) != entry.id
        if wanted and not taken_over:
            standing[entry.id] = Kept(entry, wanted, entry.id, entry.file)
            if wanted.selected:
                replaced[entry.id] = entry.file
        elif prune:
            dropped.append(entry.file)
            pruned += 1
        elif taken_over:
            homeless.append(entry)
        else:
            stale.append(Kept(entry, None, entry.id, entry.file))
    free = _free_places(serving, by_id, owner)
    for entry in homeless:
        assert entry.file is not None
        place = next(free, None)
        if place is None:
            dropped.append(entry.file)
        elif place[0] in by_id:
            standing[place[0]] = Kept(entry, by_id[place[0]], *place)
        else:
            stale.append(Kept(entry, None, *place))
    kept = [
        Kept(serving[w.utterance.id], w, w.utterance.id, w.file)
        if w.utterance.id in serving
        else standing[w.utterance.id]
        for w in script
        if w.utterance.id in serving or w.utterance.id in standing
    ]
    missing = [wanted for wanted in script if wanted.utterance.id not in serving]
    make = tuple(wanted for wanted in missing if wanted.selected)
    return Plan((*kept, *stale), make, len(missing) - len(make), tuple(dropped), replaced, pruned)


def _match(script: Sequence[Wanted], usable: Mapping[str, Entry]) -> dict[str, Entry]:
    """Utterance id → the entry whose audio it can use, each entry once."""
    serving = {
        wanted.utterance.id: usable[wanted.utterance.id]
        for wanted in script
        if wanted.utterance.id in usable and usable[wanted.utterance.id].key == wanted.key
    }
    spare: dict[str, list[Entry]] = {}
    for entry in usable.values():
        if entry.id not in serving:
            spare.setdefault(entry.key, []).append(entry)
    for wanted in script:
        if wanted.utterance.id not in serving and spare.get(wanted.key):
            serving[wanted.utterance.id] = spare[wanted.key].pop(0)
    return serving


def _free_places(
    serving: Mapping[str, Entry], by_id: Mapping[str, Wanted], owner: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """(id, file) of clips that move away and leave a name that this run does not fill again."""
    for utterance_id, entry in serving.items():
        assert entry.file is not None
        wanted = by_id.get(entry.id)
        filled = wanted is not None and (wanted.selected or entry.id in serving)
        if entry.id != utterance_id and not filled and owner.get(entry.file, entry.id) == entry.id:
            yield entry.id, entry.file
