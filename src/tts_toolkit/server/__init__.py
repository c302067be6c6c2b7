"""Speech over HTTP, as OpenAI's API has it (the extra ``server``).

Only ``settings``, ``extra`` and ``run`` can be imported without the extra. The HTTP side is
asyncio; the engine has one thread of its own (``speaker``), so that requests that wait together
are spoken together.
"""
