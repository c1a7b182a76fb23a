"""The site of these pages, by Sphinx: `make docs`.

The pages are plain Markdown, to be read in the repository too.  `index.md` is the only table of
contents: the links below each of its headings become a part of the navigation.
"""

import re

from sphinx.application import Sphinx

from ttskit import __version__

project = "ttskit"
release = __version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"ttskit {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
myst_heading_anchors = 4  # so that links to headings work, and are checked
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([\w-]+)\.md\)")


def add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Append to the index a hidden table of contents for each of its headings."""
    if name != app.config.root_doc:
        return
    _, *parts = HEADING.split(source[0])
    for heading, part in zip(parts[::2], parts[1::2], strict=True):
        pages = "\n".join(dict.fromkeys(LINK.findall(part)))
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{pages}\n```\n"


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_navigation)
