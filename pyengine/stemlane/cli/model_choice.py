# SPDX-License-Identifier: MIT
"""Says of a model that is not there whether it can be added, and how."""

from stemlane.errors import ModelError


def require(model: str) -> str:
    """`model` if it is there.

    Raises
    ------
    ModelError
        Saying how it can be added, or what there is instead.
    """
    from stemlane.manifests.registry import find_model

    try:
        find_model(model)
    except ModelError:
        from stemlane.catalog.available import find_available, from_files

        found = find_available(model)
        if len(found) == 1:
            raise ModelError(
                f"model {model!r} is not here yet but can be added: run 'stemlane models add {found[0].source}'"
            ) from None
        if found:
            sources = ", ".join(entry.source for entry in found)
            raise ModelError(
                f"model {model!r} is not here yet; one of these can be added: {sources}; "
                f"run 'stemlane models add {found[0].source}'"
            ) from None
        if (family := model.lower()) in from_files():
            raise ModelError(
                f"model {model!r} is added from a file of yours: run 'stemlane models add {family} --from FILE'"
            ) from None
        raise
    return model
