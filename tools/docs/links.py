# SPDX-License-Identifier: MIT
"""A hook of MkDocs: links from docs/ to the rest of the repository, which a site does not have, become names of files.

A link that leads nowhere, and a page that would fetch something from the net, are warnings, which the strict build
takes for errors.
"""

import logging
import re
from pathlib import Path
from typing import Any

_LINK = re.compile(r"\[([^\]]*)\]\((\.\./[^)#\s]*)(?:#[^)]*)?\)")
_FETCHED = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//[^>]*>""")
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


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Called by MkDocs with the HTML of each page."""
    for element in _FETCHED.findall(output):
        _LOG.warning("%s: would fetch %s", page.file.src_uri, element)
    return output
