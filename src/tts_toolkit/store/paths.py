"""Where this machine keeps our files."""

from __future__ import annotations

import os
from pathlib import Path


def config_file() -> Path:
    """The config file (it need not exist): ``TTS_TOOLKIT_CONFIG``, or the system's usual place."""
    given = os.environ.get("TTS_TOOLKIT_CONFIG")
    if given:
        return Path(given)
    from platformdirs import user_config_path  # noqa: PLC0415 - only where no path is given

    return user_config_path("tts-toolkit") / "config.yaml"


def home() -> Path:
    """The folder for models and caches: ``TTS_TOOLKIT_HOME``, or the system's cache folder."""
    given = os.environ.get("TTS_TOOLKIT_HOME")
    if given:
        return Path(given)
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where no path is given

    return user_cache_path("tts-toolkit")
