"""Making what is missing: the engine's loop on one side, files and journal on the other."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tts_toolkit.audio.resample import resample
from tts_toolkit.audio.tags import tags
from tts_toolkit.audio.write import encode
from tts_toolkit.engines.base import Failed, Finished, SegmentReady
from tts_toolkit.engines.drive import drive
from tts_toolkit.errors import Problem, UnspeakableError
from tts_toolkit.job.folder import storage_errors
from tts_toolkit.job.progress import Progress
from tts_toolkit.job.rows import failed_row, ok_row
from tts_toolkit.report.waveform import WAVEFORMS, Waveform, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TextIO

    from tts_toolkit.audio.formats import AudioFormat
    from tts_toolkit.engines.base import Engine, EngineSpec
    from tts_toolkit.job.folder import OutputFolder
    from tts_toolkit.job.plan import Wanted
    from tts_toolkit.manifest import Entry, Journal, ManifestRow
    from tts_toolkit.utterance import Utterance

# Encoding and fsync release the interpreter; two threads hide them behind the engine.
_WRITERS = 2
# Clips that may wait for the disk; memory stays flat when it is slow.
_UNWRITTEN = 8


@dataclass
class Maker:
    """One run's making.

    Attributes:
        folder: where the audio goes.
        journal: where the rows go.
        spec: the engine, for its texts and its name.
        audio: how files are written.
        replaced: id → an older file that its new clip takes the place of.
        on_progress: called after each utterance.
        stopped: asked before each; once true, what is in flight is finished and no more.
        fail_fast: stop after the first failure.
    """

    folder: OutputFolder
    journal: Journal
    spec: EngineSpec
    audio: AudioFormat
    replaced: Mapping[str, str]
    on_progress: Callable[[Progress], None]
    stopped: Callable[[], bool]
    fail_fast: bool
    total: int = 0
    made: int = 0
    audio_s: float = 0.0
    wall_s: float = 0.0
    entries: dict[str, Entry] = field(default_factory=dict)
    failures: list[Problem] = field(default_factory=list)
    _started: float = field(default=0.0, init=False, repr=False)
    _waveforms: TextIO = field(init=False, repr=False)

    def make(self, wanted: Sequence[Wanted], engine: Engine) -> None:
        """Make the clips of ``wanted``.

        Raises:
            StorageError: if a file or a row can't be written; rows so far are kept.
        """
        self.total = len(wanted)
        self._started = time.perf_counter()
        in_flight = {one.utterance.id: one for one in wanted}
        writing: deque[Future[tuple[Wanted, ManifestRow, Waveform]]] = deque()
        with (
            storage_errors(self.folder.path),
            (self.folder.path / WAVEFORMS).open("a", encoding="utf-8") as waveforms,
            ThreadPoolExecutor(_WRITERS) as writers,
        ):
            self._waveforms = waveforms
            for event in drive(engine, self._feed(wanted), stopped=self._must_stop):
                if isinstance(event, SegmentReady):
                    continue
                one = in_flight.pop(event.id)
                if isinstance(event, Failed):
                    self._fail(one, event)
                else:
                    writing.append(writers.submit(self._write, one, event))
                while writing and (writing[0].done() or len(writing) > _UNWRITTEN):
                    self._commit(*writing.popleft().result())
            while writing:
                self._commit(*writing.popleft().result())
            self.journal.sync()

    def _must_stop(self) -> bool:
        return self.stopped() or (self.fail_fast and bool(self.failures))

    def _feed(self, wanted: Sequence[Wanted]) -> Iterator[Utterance | Failed]:
        for one in wanted:
            reason = self.spec.unspeakable(one.utterance.text)
            if reason:
                yield Failed(one.utterance.id, UnspeakableError(reason))
            else:
                yield one.utterance

    def _write(self, wanted: Wanted, event: Finished) -> tuple[Wanted, ManifestRow, Waveform]:
        """In a writer's thread: from a clip to a file that is whole and on disk."""
        clip = resample(event.clip, self.audio.sampling_rate)
        info = self.spec.info
        said = tags(info.name, info.model, info.model_revision)
        self.folder.store(wanted.file, encode(clip.samples, self.audio, said))
        return wanted, ok_row(wanted, event, clip, info), draw(clip.samples, event.seconds)

    def _commit(self, wanted: Wanted, row: ManifestRow, waveform: Waveform) -> None:
        """The file is there: only now its row."""
        self._waveforms.write(waveform.to_line(row.key))
        self._record(wanted, row)
        self.made += 1
        self.audio_s += row.duration_s
        self._tell(None)

    def _fail(self, wanted: Wanted, event: Failed) -> None:
        row = failed_row(wanted, event.error, self.spec.info, self.audio.sampling_rate)
        self._record(wanted, row)
        failure = Problem(wanted.utterance.source, wanted.utterance.id, str(event.error))
        self.failures.append(failure)
        self._tell(failure)

    def _record(self, wanted: Wanted, row: ManifestRow) -> None:
        self.entries[row.id] = self.journal.append(row)
        old = self.replaced.get(wanted.utterance.id)
        if old is not None and old != row.file:
            (self.folder.path / old).unlink(missing_ok=True)

    def _tell(self, failure: Problem | None) -> None:
        self.wall_s = time.perf_counter() - self._started
        self.on_progress(
            Progress(self.total, self.made, len(self.failures), self.audio_s, self.wall_s, failure)
        )
