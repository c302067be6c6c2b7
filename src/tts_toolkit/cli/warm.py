"""``tts-toolkit warm``: what a first run would have to make, made ahead."""

from __future__ import annotations

import time

import click

from tts_toolkit.config import LANGUAGES

_CODES = [code for code in LANGUAGES if code != "auto"]


@click.command(short_help="Compile IndexTTS's text grammars ahead.")
@click.option(
    "--lang",
    "langs",
    multiple=True,
    type=click.Choice(_CODES),
    help="Language to prepare (may be repeated).  [default: all that need it]",
)
def warm(langs: tuple[str, ...]) -> None:
    """Compile the grammars that write numbers and symbols out for IndexTTS.

    A first text in a language waits for them otherwise: English about 25 seconds, Spanish 70. They
    are kept, so that every later run finds them.

    \b
    tts-toolkit warm --lang en
    """  # noqa: D301 - click wants the character itself
    from tts_toolkit.engines.indextts.grammar import warm as compile_grammar  # noqa: PLC0415
    from tts_toolkit.engines.indextts.speakable import missing_normaliser  # noqa: PLC0415
    from tts_toolkit.store.paths import home  # noqa: PLC0415

    for lang in langs or _CODES:
        missing = missing_normaliser(lang)
        if missing:
            click.echo(f"{lang}: {missing}")
            continue
        started = time.perf_counter()
        kept = compile_grammar(lang, home())
        if kept is None:
            click.echo(f"{lang}: nothing to compile")
        else:
            click.echo(f"{lang}: ready in {time.perf_counter() - started:.0f} s, {kept}")
