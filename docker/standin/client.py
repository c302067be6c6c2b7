"""Starts the server as compose.yaml does, waits until it is healthy, lets it speak, and ends it.

Runs inside a container: ``client.py HEALTH -- COMMAND…``, where HEALTH is compose.yaml's check.
Says how long it took to be healthy, and writes what was spoken to standard output as a WAV.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from urllib.request import Request, urlopen

PATIENCE_S = 120.0
SPEECH = "http://127.0.0.1:5124/v1/audio/speech"


def main() -> int:
    """Run the program; its exit code is the server's."""
    health, _, *command = sys.argv[1:]
    started = time.perf_counter()
    server = subprocess.Popen(command)
    check = ["python3", "-c", health]
    while subprocess.run(check, check=False, stderr=subprocess.DEVNULL).returncode:
        if server.poll() is not None or time.perf_counter() > started + PATIENCE_S:
            server.kill()
            return server.wait() or 1
        time.sleep(0.2)
    sys.stderr.write(f"healthy after {time.perf_counter() - started:.1f} s\n")
    body = {"model": "tts-1", "input": "It is ready.", "voice": "alloy", "response_format": "wav"}
    asked = Request(SPEECH, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(asked, timeout=60) as answer:  # noqa: S310 - http, to ourselves
        sys.stdout.buffer.write(answer.read())
    server.send_signal(signal.SIGTERM)
    return server.wait(15)


if __name__ == "__main__":
    sys.exit(main())
