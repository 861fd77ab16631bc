# SPDX-License-Identifier: MIT
"""A hook of MkDocs: links from docs/ to the rest of the repository, which a site does not have, become names of files.

One that leads nowhere is a warning, which the strict build takes for an error.
"""

import logging
import re
from pathlib import Path
from typing import Any

_LINK = re.compile(r"\[([^\]]*)\]\((\.\./[^)#\s]*)(?:#[^)]*)?\)")
_LOG = logging.getLogger("mkdocs.hooks.links")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Called by MkDocs with the text of each page."""
    docs = Path(config["docs_dir"]).resolve()
    folder = Path(page.file.abs_src_path).parent

    def named(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        if target.is_relative_to(docs):
            return link[0]
        if not target.exists():
            _LOG.warning("%s: links to %s, which is not there", page.file.src_uri, link[2])
            return link[1]
        name = target.relative_to(docs.parent).as_posix()
        text = link[1].strip("`")
        return f"`{name}`" if text in (name, target.name) else f"{link[1]} (`{name}`)"

    return _LINK.sub(named, markdown)
