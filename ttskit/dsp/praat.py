"""Praat's measures at the centres of the frame grid, by parselmouth.

Praat's frames are hop_length apart but centred within the recording.  Their values are
interpolated to the centres of the grid's frames.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ttskit.dsp import grid
from ttskit.dsp import pitch as tracks
from ttskit.errors import AudioError

FORMANTS = 5


def pitch(
    audio: np.ndarray,
    sample_rate: int,
    hop_length: int,
    fmin: float = 50.0,
    fmax: float = 550.0,
    method: str = "ac",
) -> tuple[np.ndarray, np.ndarray]:
    """Find f0 by autocorrelation (ac) or cross-correlation (cc).

    Parameters
    ----------
    audio : (sample,) float
    sample_rate, hop_length : Hz, samples
    fmin, fmax : Hz

    Returns
    -------
    f0 : (frame,) float32
        Hz, 0 where unvoiced.
    strength : (frame,) float32
        Of the correlation, from 0 to 1; 0 where unvoiced.
    """
    sound, times = _sound(audio, sample_rate, hop_length, 3 / fmin)
    find = sound.to_pitch_ac if method == "ac" else sound.to_pitch_cc
    track = find(time_step=hop_length / sample_rate, pitch_floor=fmin, pitch_ceiling=fmax)
    values = track.selected_array
    place = np.interp(times, track.xs(), np.arange(len(values)))
    f0 = tracks.between(values["frequency"], place)
    strength = np.clip(values["strength"][tracks.nearest(place, len(values))], 0, 1)
    return f0.astype(np.float32), np.where(f0 > 0, strength, 0).astype(np.float32)


def measures(
    audio: np.ndarray, sample_rate: int, hop_length: int, fmin: float = 50.0, fmax: float = 550.0
) -> dict[str, np.ndarray]:
    """Return formants, harmonicity and intensity on the grid, jitter and shimmer of the whole.

    Parameters
    ----------
    audio : (sample,) float
    sample_rate, hop_length : Hz, samples
    fmin, fmax : Hz
        Range of pitch, on which harmonicity, jitter and shimmer depend.

    Returns
    -------
    formants : (frame, 5) float32, Hz, 0 where there is none
    harmonicity : (frame,) float32, dB, -200 where there is no pitch
    intensity : (frame,) float32, dB re 2e-5 (a full-scale sine is at 91)
    jitter, shimmer : () float32, local, as ratios; 0 where nothing is voiced
    """
    from parselmouth import praat

    sound, times = _sound(audio, sample_rate, hop_length, 6.4 / fmin)
    step = hop_length / sample_rate
    harmonicity = sound.to_harmonicity_cc(time_step=step, minimum_pitch=fmin)
    intensity = sound.to_intensity(minimum_pitch=fmin, time_step=step, subtract_mean=True)
    pulses = praat.call(sound, "To PointProcess (periodic, cc)", fmin, fmax)
    shortest, longest, factor = 1e-4, 1.25 / fmin, 1.3
    jitter = praat.call(pulses, "Get jitter (local)", 0, 0, shortest, longest, factor)
    shimmer = praat.call(
        [sound, pulses], "Get shimmer (local)", 0, 0, shortest, longest, factor, 1.6
    )
    return {
        "formants": _formants(sound, step, times),
        "harmonicity": _nearest(harmonicity, times),
        "intensity": np.interp(times, intensity.xs(), intensity.values[0]).astype(np.float32),
        "jitter": np.float32(np.nan_to_num(jitter)),
        "shimmer": np.float32(np.nan_to_num(shimmer)),
    }


def _formants(sound: Any, step: float, times: np.ndarray) -> np.ndarray:
    """Return formants (frame, 5) in Hz at times in seconds, 0 where there is none."""
    track = sound.to_formant_burg(time_step=step, max_number_of_formants=FORMANTS)
    numbers = range(1, FORMANTS + 1)
    values = [[track.get_value_at_time(number, time) for number in numbers] for time in times]
    return np.nan_to_num(np.array(values, np.float32).reshape(-1, FORMANTS))


def _sound(
    audio: np.ndarray, sample_rate: int, hop_length: int, shortest: float
) -> tuple[Any, np.ndarray]:
    """Return a recording as a parselmouth.Sound, and the centres of its frames in seconds."""
    import parselmouth

    seconds = len(audio) / sample_rate
    if seconds <= shortest:
        raise AudioError(f"lasts {seconds:.3f} s, Praat needs {shortest:.3f} s for this --f0-min")
    sound = parselmouth.Sound(np.asarray(audio, np.float64), sample_rate)
    frames = grid.count(len(audio), hop_length)
    return sound, grid.centres(frames, hop_length) / sample_rate


def _nearest(track: Any, times: np.ndarray) -> np.ndarray:
    """Return the values of Praat's frames nearest to some times in seconds."""
    values = track.values[0]
    place = np.interp(times, track.xs(), np.arange(len(values)))
    return values[np.rint(place).astype(int)].astype(np.float32)
