"""The extra ``server``: whether it is installed."""

from __future__ import annotations

from importlib.util import find_spec

from tts_toolkit.errors import MissingError

_MODULES = ("fastapi", "uvicorn", "python_multipart", "pydantic", "prometheus_client")


def require_extra() -> None:
    """Say how to install what is not here.

    Raises:
        MissingError: if a package of the extra is missing.
    """
    missing = [module for module in _MODULES if find_spec(module) is None]
    if missing:
        raise MissingError(
            f"the server needs {', '.join(missing)}: pip install 'tts-toolkit[server]'"
        )
