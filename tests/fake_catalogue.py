"""The command line with a catalogue of a test's own, and less patience with the network.

``python fake_catalogue.py CATALOGUE.json ARGUMENT…``
"""

from __future__ import annotations

import sys
from pathlib import Path

from tts_toolkit.cli import main
from tts_toolkit.store import catalogue, hub

if __name__ == "__main__":
    found = catalogue.read_catalogue(Path(sys.argv.pop(1)).read_text("utf-8"))
    catalogue.catalogue.cache_clear()
    catalogue.read_catalogue = lambda _: found
    hub.PATIENCE = hub.Patience(attempts=6, first_wait=0.05, longest_wait=0.5, silence=1.0)
    main()
