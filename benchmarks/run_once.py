"""One run of ``run_script`` in a process of its own, measured from inside; prints JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import TYPE_CHECKING

from tts_toolkit import run_script

if TYPE_CHECKING:
    from tts_toolkit.job.progress import Progress


def main(script: str, out: str, workers: str) -> None:
    """Run it, and tell what it took."""
    times: list[tuple[int, float]] = []

    def note(progress: Progress) -> None:
        if progress.done in {1, progress.total}:
            times.append((progress.done, time.perf_counter()))

    report = run_script(script, out, workers=int(workers), on_progress=note)
    ended = time.perf_counter()
    (first, first_at), (last, last_at) = times[0], times[-1]
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "made": report.made,
                "failed": report.failed,
                "audio_s": report.audio_s,
                "peak_rss_mb": own.ru_maxrss / 1024,
                "peak_rss_children_mb": children.ru_maxrss / 1024,
                "making_s_an_utterance": (last_at - first_at) / max(1, last - first),
                "finishing_s": ended - last_at,
                "cpu_s": own.ru_utime + own.ru_stime,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
