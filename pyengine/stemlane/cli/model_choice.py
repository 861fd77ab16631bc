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
        from stemlane.catalog.available import available_models

        for entry in available_models():
            if model.lower() in (entry.model_name, entry.source.lower()):
                raise ModelError(
                    f"model {model!r} is not here yet but can be added: run 'stemlane models add {entry.source}'"
                ) from None
        raise
    return model
