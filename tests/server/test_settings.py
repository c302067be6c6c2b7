"""Set-ups that are safe, and those that are refused before anything starts."""

import subprocess
import sys

import pytest

from tts_toolkit.errors import MissingError, OptionError
from tts_toolkit.server.settings import ServerSettings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_local_server_needs_no_key(host):
    assert ServerSettings(host=host).is_local


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", ""])
def test_elsewhere_it_needs_a_key_or_the_word(host):
    with pytest.raises(OptionError, match=r"--api-key.*--no-auth"):
        ServerSettings(host=host)
    assert not ServerSettings(host=host, api_key="secret").is_local
    assert ServerSettings(host=host, no_auth=True)


def test_both_contradict_each_other():
    with pytest.raises(OptionError, match="contradict"):
        ServerSettings(api_key="secret", no_auth=True)


@pytest.mark.parametrize("key", ["two words", "line\n", "schlüssel", "\x7f"])
def test_a_key_has_to_fit_into_a_header(key):
    with pytest.raises(OptionError, match="ASCII"):
        ServerSettings(api_key=key)


def test_a_key_is_not_shown():
    assert "secret" not in repr(ServerSettings(api_key="secret"))


def test_the_command_refuses_before_it_starts(cli):
    done = cli("serve", "--host", "0.0.0.0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--no-auth" in done.stderr


def test_a_port_that_is_taken_is_told(start, cli):
    port = start().url.rpartition(":")[2]
    done = cli("serve", "--port", port)
    assert done.returncode == 2
    assert f"--port {port}: Address already in use" in done.stderr


def test_a_host_that_is_none_is_told(cli):
    done = cli("serve", "--host", "no.such.host.invalid", "--no-auth")
    assert done.returncode == 2
    assert "--host no.such.host.invalid" in done.stderr


def test_what_the_engine_can_not_do_is_told(cli):
    done = cli("serve", "--model", "builtin", "--speed", "3", "--port", "0")
    assert done.returncode == 2
    assert "speed goes from 0.5 to 2" in done.stderr


def test_without_the_extra_it_is_named(monkeypatch):
    from tts_toolkit.server import extra

    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "uvicorn" else name)
    with pytest.raises(MissingError, match=r"uvicorn: pip install 'tts-toolkit\[server\]'"):
        extra.require_extra()


def test_the_help_loads_nothing_of_the_extra():
    program = (
        "import sys, tts_toolkit.cli as c, tts_toolkit.server.settings, tts_toolkit.server.run\n"
        "c.cli.main(['serve', '--help'], standalone_mode=False)\n"
        "names = {'fastapi', 'starlette', 'uvicorn', 'pydantic', 'prometheus_client', 'torch'}\n"
        "sys.exit(' '.join(names & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
