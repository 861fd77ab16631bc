# SPDX-License-Identifier: MIT
"""Names of models that can be added, so that who asks for one that is not here hears how.

What else is known of them is in `catalog`, which tests compare with this.
"""

import re

# What `stemlane models add` takes, and the families whose networks come as files of the user's.
SOURCES = (
    *(f"spleeter:{stems}stems{bands}" for bands in ("", "-16kHz") for stems in (2, 4, 5)),
    *("open-unmix:umx", "open-unmix:umxhq", "open-unmix:umxl", "htdemucs", "htdemucs_ft", "htdemucs_6s"),
)
FROM_FILES = ("mdx", "mdx23c", "roformer", "scnet")
_WINDOWS = ("3s", "15s")  # what the names of models with a shorter window end in, -3s and -1.5s


def sources_meant(name: str) -> list[str]:
    """What may be meant by the name of a model that is not here: one, or several of a family, or none.

    >>> sources_meant("HTDemucs-FT"), sources_meant("umxhq"), sources_meant("nope")
    (['htdemucs_ft'], ['open-unmix:umxhq'], [])
    """
    wanted = plain(name)
    for names in (
        lambda source: {source, source.partition(":")[2]},
        lambda source: {f"{source}{window}" for window in _WINDOWS},
        lambda source: {source.partition(":")[0], "demucs" if "demucs" in source else ""},
    ):
        if found := [source for source in SOURCES if wanted and wanted in map(plain, names(source))]:
            return found
    return []


def remedy(name: str) -> str:
    """How a model that is not here can be added, to be put after its name, or nothing.

    >>> remedy("htdemucs")
    "is not here yet but can be added: run 'stemlane models add htdemucs'"
    """
    found = sources_meant(name)
    if len(found) == 1:
        return f"is not here yet but can be added: run 'stemlane models add {found[0]}'"
    if found:
        one_of = f"is not here yet; one of these can be added: {', '.join(found)}"
        return f"{one_of}; run 'stemlane models add {found[0]}'"
    if (family := name.lower()) in FROM_FILES:
        return f"is added from a file of yours: run 'stemlane models add {family} --from FILE'"
    return ""


def plain(name: str) -> str:
    """The letters and digits of a name, in lower case: what is left when its spelling does not count."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
