"""Scripts into speech, in bulk.

::

    import tts_toolkit as tts

    synth = tts.load()
    clip = synth.say("Hello there.")
    clip.save("hello.wav")

    report = tts.run_script("script.txt", "out/")

Importing this loads none of torch, transformers, librosa and onnxruntime.
"""

from typing import Any

import lazy_loader

__version__ = "0.1.0"

# The public names and their homes stand in ``__init__.pyi``; each is loaded when it is first used.
_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]


def __getattr__(name: str) -> Any:
    """A public name, from the module that defines it."""
    return _load(name)
