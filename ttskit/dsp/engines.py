"""Imports that need care: torchaudio and torchcrepe without CUDA, onnxruntime without telemetry."""

from __future__ import annotations

import os
import sys
from types import ModuleType


def torchaudio() -> ModuleType:
    """Import torchaudio, without its compiled extension if that cannot be loaded.

    Its Linux wheel links CUDA libraries, which a CPU-only torch lacks.  Transforms, functional
    and resampling are written in Python and need no extension; torchaudio works without it if
    its file is absent, so a module that says so takes its place.
    """
    try:
        import torchaudio
    except OSError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _no_extension()
        import torchaudio
    return torchaudio


def torchcrepe() -> ModuleType:
    """Import torchcrepe, which imports torchaudio."""
    torchaudio()
    import torchcrepe

    return torchcrepe


def onnxruntime() -> ModuleType:
    """Import onnxruntime; its telemetry is off, unless the environment says otherwise."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else it keeps a number of this machine
    import onnxruntime

    return onnxruntime


def _no_extension() -> ModuleType:
    def unavailable(*_: object, **__: object) -> None:
        raise RuntimeError("this function needs torchaudio's compiled extension")

    module = ModuleType("torchaudio._extension")
    module._IS_TORCHAUDIO_EXT_AVAILABLE = False  # type: ignore[attr-defined]
    module._IS_ALIGN_AVAILABLE = False  # type: ignore[attr-defined]
    module.fail_if_no_align = lambda _: unavailable  # type: ignore[attr-defined]
    return module
