# SPDX-License-Identifier: MIT
"""Checks early that the model a command was given is there."""


def require(model: str) -> str:
    """`model` if it is there.

    Raises
    ------
    ModelError
        Saying how it can be added, or what there is instead.
    """
    from stemlane.manifests.registry import find_model

    find_model(model)
    return model
