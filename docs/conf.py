"""Sphinx's settings; the pages are built with ``sphinx-build -n -W docs docs/_build``.

Nothing here needs the network: the names of other projects are listed below instead of linked.
"""

from tts_toolkit import __version__

project = "tts-toolkit"
author = "tts-toolkit developers"
project_copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"tts-toolkit {release}"

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
# The attributes of a dataclass are described once, in its docstring.
napoleon_use_ivar = True

# What our signatures name and our pages don't describe: other projects' types, then our own that
# only engines deal with.
nitpick_ignore = [
    ("py:class", name)
    for name in (
        "NDArray",
        "Path",
        "collections.abc.Mapping",
        "np.float32",
        "os.PathLike",
        "pathlib.Path",
        "EngineSpec",
        "tts_toolkit.engines.base.Failed",
        "tts_toolkit.engines.base.Finished",
        "tts_toolkit.engines.base.SegmentReady",
    )
]
