"""Set-ups that are safe, and those that are refused before anything starts."""

import subprocess
import sys

import pytest

from tts_toolkit.errors import MissingError, OptionError
from tts_toolkit.server.run import first_line
from tts_toolkit.server.settings import ServerSettings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
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


def test_an_empty_key_is_none_and_not_taken_for_one():
    with pytest.raises(OptionError, match="is empty"):
        ServerSettings(api_key="")
    assert ServerSettings().api_key is None


@pytest.mark.parametrize("words", [(), ("--no-auth",), ("--host", "0.0.0.0", "--no-auth")])
@pytest.mark.parametrize("by", ["option", "environment"])
def test_the_command_does_not_open_for_an_empty_key(cli, by, words):
    given = ("--api-key", "") if by == "option" else ()
    env = {"TTS_TOOLKIT_API_KEY": "" if by == "environment" else "in the environment"}
    done = cli("serve", *given, *words, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: --api-key (or TTS_TOOLKIT_API_KEY) is empty: give a key, or none\n"
    )


def test_the_command_takes_the_key_of_the_environment(cli):
    done = cli("serve", "--no-auth", env={"TTS_TOOLKIT_API_KEY": "secret"})
    assert done.returncode == 2
    assert "contradict" in done.stderr


@pytest.mark.parametrize(
    "name", ["", "two words", "a.example:443", "http://a.example", "ü.example"]
)
def test_an_allowed_host_is_a_name(name):
    with pytest.raises(OptionError, match="--allow-host"):
        ServerSettings(allow_hosts=("a.example", name))


def test_the_command_takes_several_allowed_hosts(cli):
    done = cli("serve", "--allow-host", "a.example", "--allow-host", "b example")
    assert done.returncode == 2
    assert "--allow-host b example: a name alone" in done.stderr


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


@pytest.mark.parametrize("host", ["ü..x", "a" * 300, "a..b"])
def test_a_host_that_can_be_none_is_told(cli, host):
    done = cli("serve", "--host", host, "--no-auth", "--port", "0")
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: --host {host}: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("127.0.0.1", "http://127.0.0.1:7 (asked for)"),
        ("192.168.1.2", "http://192.168.1.2:7 (asked for)"),
        ("::1", "http://[::1]:7 (asked for)"),
        ("0.0.0.0", "http://127.0.0.1:7 (asked for), on all addresses of this machine"),
        ("::", "http://[::1]:7 (asked for), on all addresses of this machine"),
    ],
)
def test_the_first_line_is_an_address_to_click(host, line):
    assert first_line(host, 7, "asked for") == line


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
