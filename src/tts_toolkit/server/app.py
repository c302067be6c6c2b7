"""The app: everything put together."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from fastapi import FastAPI

from tts_toolkit import __version__
from tts_toolkit.audio.resample import resample
from tts_toolkit.clip import Clip
from tts_toolkit.config import Options
from tts_toolkit.devices.cuda import why_no_cuda
from tts_toolkit.devices.probe import this_machine
from tts_toolkit.engines.base import Engine, EngineSpec
from tts_toolkit.engines.builtin import BUILTIN
from tts_toolkit.engines.pool import Pool, open_session
from tts_toolkit.engines.request import complete
from tts_toolkit.server.desk import Desk
from tts_toolkit.server.form import FORMS
from tts_toolkit.server.guard import Guard
from tts_toolkit.server.health import health_routes
from tts_toolkit.server.metrics import Metrics
from tts_toolkit.server.page import page_routes
from tts_toolkit.server.problem import tell_errors
from tts_toolkit.server.settings import ServerSettings
from tts_toolkit.server.shelf import Shelf
from tts_toolkit.server.speaker import Speaker
from tts_toolkit.server.speech import speech_routes
from tts_toolkit.server.voices import voice_routes
from tts_toolkit.utterance import Utterance

_HELLO = "Hello there."
# How long the engine's thread may take to end, in seconds.
_FAREWELL = 1.0


def create_app(
    spec: EngineSpec, options: Options, settings: ServerSettings, folder: Path
) -> tuple[FastAPI, Speaker]:
    """An app over one engine, which is loaded when the app starts, and what drives the engine.

    Args:
        spec: the engine.
        options: of every request that does not say otherwise.
        settings: whom it serves.
        folder: for uploaded voices; it should go with the app.
    """
    metrics = Metrics()
    workers = spec.workers(options.workers, settings.queue)
    # Looking for a card may take long, so the engine's thread does it.
    cuda_found = threading.Event()
    hello = complete(Utterance(_HELLO), spec.info, options)

    def load() -> Engine:
        _load_resampler(spec.info.sampling_rate)
        if not why_no_cuda(this_machine()):
            cuda_found.set()
        # A text that hibari trips over, or a crash in native code, then ends a child and not the
        # server. IndexTTS decodes many at a time only in a session of its own.
        return Pool(spec, workers) if spec is BUILTIN else open_session(spec, workers)

    speaker = Speaker(
        load,
        [replace(hello, id=f"hello {number}") for number in range(workers)],
        queue=settings.queue,
        metrics=metrics,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        speaker.start()
        yield
        speaker.stop()
        await asyncio.to_thread(speaker.join, _FAREWELL)

    app = FastAPI(
        title="tts-toolkit",
        version=__version__,
        summary="Speech as OpenAI's API has it.",
        docs_url=None,  # its pages ask others for scripts
        redoc_url=None,
        lifespan=lifespan,
    )
    desk = Desk(spec, options, speaker, Shelf(folder), metrics)
    # An engine that has devices has them in order; the others are on the CPU.
    device = getattr(spec, "devices", ("cpu",))[0]
    app.include_router(speech_routes(desk))
    app.include_router(voice_routes(desk))
    app.include_router(health_routes(desk, device, cuda_found.is_set))
    app.include_router(page_routes(app, needs_key=bool(settings.api_key)))
    app.add_middleware(Guard, settings=settings)
    tell_errors(app)
    return app, speaker


def _load_resampler(rate: int) -> None:
    """Pay for what resampling imports before the first request does."""
    for form in FORMS.values():
        resample(Clip(np.zeros(rate, np.float32), rate), form.rate or rate)
