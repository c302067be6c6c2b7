"""``python -m tts_toolkit`` is ``tts-toolkit``."""

from tts_toolkit.cli import main

main()
