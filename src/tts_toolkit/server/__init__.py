"""Speech over HTTP, as OpenAI's API has it (the extra ``server``).

What the command needs before it knows whether the extra is here (``run``, ``settings``,
``signals``, ``extra`` and what these import) does without it. The HTTP side is asyncio; the engine
has one thread of its own (``speaker``), so that requests that wait together are spoken together.
"""
