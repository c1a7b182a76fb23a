"""Mel-cepstral distortion against public implementations, on repeated takes of the same prompts.

    python benchmarks/accuracy_mcd.py CORPUS.h5 [PAIRS]

Takes have the ids PROMPT_TIME, as in the Kathleen corpus.  Installs nothing: it needs pysptk,
pyworld, pymcd and mel-cepstral-distance, of which the first two need a compiler.

pymcd 0.2.1 differs from its own formula in four ways: it gives SPTK the power spectra of WORLD
where amplitudes are asked for, so all cepstra are doubled; it adds 1e-8 to their squares, which
drowns all but the loudest; it stops SPTK before the first iteration; and it counts c(0).  It is
run as it is, and with these mended.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import ttskit
from ttskit.artifacts.reader import Reader
from ttskit.dsp import mcep
from ttskit.metrics import mcd
from ttskit.metrics.sound import Frames, Pair, Sound

RATE = 22050


def sptk(pair: Pair) -> float:
    """SPTK's own mel-cepstra of the same spectra, along our path."""
    import pysptk

    found = []
    for sound in (pair.reference, pair.synthesised):
        power = np.asarray(sound.power, np.float64)
        cepstra = [
            pysptk.mcep(frame, 24, 0.455, etype=0, itype=4, maxiter=100, threshold=1e-9)
            for frame in power
        ]
        found.append(np.array(cepstra)[:, 1:])
    return mcd.warped(*found)


class World:
    """pymcd, as it is or mended."""

    def __init__(self, mended: bool) -> None:
        from pymcd.mcd import Calculate_MCD

        self._peer = Calculate_MCD(MCD_mode="dtw")
        measure = self._peer.calculate_mcd_distance
        if mended:
            self._peer.wav2mcep_numpy = self._cepstra
            self._peer.calculate_mcd_distance = lambda x, y, path: measure(x[:, 1:], y[:, 1:], path)

    def _cepstra(self, audio: np.ndarray) -> np.ndarray:
        import pysptk

        amplitude = np.sqrt(envelope(audio))
        return pysptk.mcep(amplitude, order=13, alpha=0.65, maxiter=100, threshold=1e-9, itype=3)

    def __call__(self, first: Path, second: Path) -> float:
        return float(self._peer.calculate_mcd(str(first), str(second)))


def envelope(audio: np.ndarray) -> np.ndarray:
    """The power spectra that pymcd looks at."""
    import pyworld

    found = pyworld.wav2world(audio.astype(np.float64), RATE, frame_period=5.0, fft_size=512)
    return np.asarray(found[1])


def ours_of_world(sounds: Sequence[np.ndarray]) -> float:
    """Ours of the envelopes, at the order and the warping that pymcd has."""
    found = [mcep.mel_cepstrum(envelope(one / 32768), 13, 0.65)[:, 1:] for one in sounds]
    return mcd.warped(*found)


def kubichek(first: Path, second: Path) -> float:
    """mel-cepstral-distance: cosine transforms of log mel spectra instead of mel-cepstra."""
    from mel_cepstral_distance import compare_audio_files

    return float(compare_audio_files(first, second, M=24, D=14, dtw_radius=None)[0])


def takes(reader: Reader[Any], count: int) -> list[tuple[str, str]]:
    prompts: dict[str, list[str]] = {}
    for id in reader.ids:
        prompts.setdefault(id.rsplit("_", 1)[0], []).append(id)
    twice = [(ids[0], ids[1]) for ids in prompts.values() if len(ids) > 1]
    return twice[:: max(1, len(twice) // count)][:count]


def main() -> None:
    reader = ttskit.read(sys.argv[1])
    frames, rows = Frames.at(RATE), []
    published, mended = World(False), World(True)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("a.wav", "b.wav")]
        for ids in takes(reader, int(sys.argv[2]) if len(sys.argv) > 2 else 40):
            audio = [reader[id].audio for id in ids]
            for path, samples in zip(paths, audio, strict=True):
                soundfile.write(path, samples, RATE)
            reference, other = (Sound(samples / 32768, frames) for samples in audio)
            pair = Pair(reference, other)
            own = mcd.evaluate(pair, mcd.Settings())["mcd"]
            ours = (own, ours_of_world(audio), own, own)
            peers = (sptk(pair), mended(*paths), published(*paths))
            rows.append((ours, (*peers, kubichek(*paths))))
    table = np.array(rows)  # (pair, ours and theirs, peer)
    names = (
        "SPTK's cepstra of the same spectra",
        "pymcd mended, ours of its envelopes",
        "pymcd as it is, ours as it is",
        "mel-cepstral-distance, ours as it is",
    )
    print(f"{len(rows)} pairs of takes")
    for name, (ours, theirs) in zip(names, table.transpose(2, 1, 0), strict=True):
        r, ratio = np.corrcoef(ours, theirs)[0, 1], ours.mean() / theirs.mean()
        print(f"{name}: r {r:.4f}, ours {ours.mean():.3f} dB, theirs {theirs.mean():.3f}, ", end="")
        print(f"ratio {ratio:.4f}")


if __name__ == "__main__":
    main()
