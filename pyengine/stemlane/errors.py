# SPDX-License-Identifier: MIT
"""The errors a user of Stemlane can meet. Each carries one line of text that names the value and the remedy."""

OUT_OF_MEMORY = "there is not enough memory: close other programs, or choose a smaller model"


class StemlaneError(Exception):
    """Base of every error this package raises on purpose.

    Examples
    --------
    >>> from stemlane import render
    >>> try:
    ...     render([[0.0, 0.0]], 44100, {"vocals": "loud"})
    ... except StemlaneError as error:
    ...     print(error)
    gain of vocals is 'loud', should be dB from -60 (silence, or -inf) to +12
    """


class ManifestError(StemlaneError):
    """A model's manifest.toml is missing something or contradicts itself."""


class ModelError(StemlaneError):
    """A model cannot be found, is damaged, or does not do what its manifest says."""


class InputError(StemlaneError):
    """The audio or an option handed in cannot be used."""


class EngineError(StemlaneError):
    """The separation failed while it was running."""


class CoreError(StemlaneError):
    """The C++ streaming core is missing or refused a call."""


class PluginError(StemlaneError):
    """The plugin bundle is missing or cannot be installed or loaded."""


class StemlaneWarning(RuntimeWarning):
    """Something works in another way than was asked for."""


def one_line(error: BaseException) -> str:
    r"""Text of an error on a single line, with its type where the text alone says too little.

    >>> one_line(ValueError("first\nsecond"))
    'ValueError: first second'
    >>> one_line(StemlaneError("model 'x' not found"))
    "model 'x' not found"
    """
    text = " ".join(str(error).split())
    if isinstance(error, StemlaneError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
