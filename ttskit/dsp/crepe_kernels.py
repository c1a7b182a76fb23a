"""The arithmetic of CREPE's convolutions, compiled: short Fourier transforms and products.

Every transform works on LANES pairs of channels at once.  A block is a flat float32 array whose
element ``(2 n + part) * LANES + lane`` belongs to time or frequency n; the real and the imaginary
part carry two real channels, so one complex transform serves both.  Lanes are the innermost loop
and all sizes are literals, so that the compiler can use full vectors.

Only forward transforms exist: the inverse of a real signal's spectrum is the forward transform
of its conjugate, and conj(Y1) + i conj(Y2) carries two of those.  Weights hold all scale factors.

No sum runs across frames, and each frame's sums have a fixed order, so results for a frame do not
depend on other frames, to the last bit.

B frames, K channels in, C channels out, N length of a transform, F = N/2 + 1 frequencies.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

Array = np.ndarray
Transform = Callable[[Array, Array, Array], tuple[Array, Array]]

LANES = 16
BLOCK = 2 * LANES  # channels per block
ROWS = 6  # frames that one step of `multiply` takes together

_FAST = {"contract", "nsz", "nnan", "ninf"}  # nothing that reorders a sum


@numba.njit(inline="always")
def _radix2(x: Array, y: Array, s: int) -> None:
    """The last step of a transform: m = 1, so no twiddles."""
    for c in range(s * BLOCK):
        a, b = x[c], x[s * BLOCK + c]
        y[c] = a + b
        y[s * BLOCK + c] = a - b


@numba.njit(inline="always")
def _radix3(x: Array, y: Array, w: Array, n: int, s: int, step: int) -> None:
    m = n // 3
    d = m * s * BLOCK
    e = s * BLOCK
    half, root = np.float32(0.5), np.float32(0.8660254037844386)
    for p in range(m):
        c1, s1 = w[p * step, 0], w[p * step, 1]
        c2, s2 = w[2 * p * step, 0], w[2 * p * step, 1]
        for q in range(s):
            i = (p * s + q) * BLOCK
            o = (3 * p * s + q) * BLOCK
            for c in range(LANES):
                ar, ai = x[i + c], x[i + LANES + c]
                br, bi = x[i + d + c], x[i + d + LANES + c]
                cr, ci = x[i + 2 * d + c], x[i + 2 * d + LANES + c]
                tr, ti = br + cr, bi + ci
                ur, ui = root * (bi - ci), root * (cr - br)
                y[o + c], y[o + LANES + c] = ar + tr, ai + ti
                vr, vi = ar - half * tr, ai - half * ti
                fr, fi = vr + ur, vi + ui
                gr, gi = vr - ur, vi - ui
                y[o + e + c], y[o + e + LANES + c] = fr * c1 - fi * s1, fr * s1 + fi * c1
                y[o + 2 * e + c], y[o + 2 * e + LANES + c] = gr * c2 - gi * s2, gr * s2 + gi * c2


@numba.njit(inline="always")
def _radix4(x: Array, y: Array, w: Array, n: int, s: int, step: int) -> None:
    m = n // 4
    d = m * s * BLOCK
    e = s * BLOCK
    for p in range(m):
        c1, s1 = w[p * step, 0], w[p * step, 1]
        c2, s2 = w[2 * p * step, 0], w[2 * p * step, 1]
        c3, s3 = w[3 * p * step, 0], w[3 * p * step, 1]
        for q in range(s):
            i = (p * s + q) * BLOCK
            o = (4 * p * s + q) * BLOCK
            for c in range(LANES):
                ar, ai = x[i + c], x[i + LANES + c]
                br, bi = x[i + d + c], x[i + d + LANES + c]
                cr, ci = x[i + 2 * d + c], x[i + 2 * d + LANES + c]
                dr, di = x[i + 3 * d + c], x[i + 3 * d + LANES + c]
                t0r, t0i, t1r, t1i = ar + cr, ai + ci, ar - cr, ai - ci
                t2r, t2i, t3r, t3i = br + dr, bi + di, bi - di, dr - br
                y[o + c], y[o + LANES + c] = t0r + t2r, t0i + t2i
                ur, ui = t1r + t3r, t1i + t3i
                y[o + e + c], y[o + e + LANES + c] = ur * c1 - ui * s1, ur * s1 + ui * c1
                ur, ui = t0r - t2r, t0i - t2i
                y[o + 2 * e + c], y[o + 2 * e + LANES + c] = ur * c2 - ui * s2, ur * s2 + ui * c2
                ur, ui = t1r - t3r, t1i - t3i
                y[o + 3 * e + c], y[o + 3 * e + LANES + c] = ur * c3 - ui * s3, ur * s3 + ui * c3


@numba.njit(inline="always")
def _radix5(x: Array, y: Array, w: Array, n: int, s: int, step: int) -> None:
    """With a fifth input of zeros: 128 samples in a transform of 160."""
    m = n // 5
    d = m * s * BLOCK
    e = s * BLOCK
    k1, k2 = np.float32(0.30901699437494745), np.float32(-0.8090169943749475)
    h1, h2 = np.float32(0.9510565162951535), np.float32(0.5877852522924731)
    for p in range(m):
        c1, s1 = w[p * step, 0], w[p * step, 1]
        c2, s2 = w[2 * p * step, 0], w[2 * p * step, 1]
        c3, s3 = w[3 * p * step, 0], w[3 * p * step, 1]
        c4, s4 = w[4 * p * step, 0], w[4 * p * step, 1]
        for q in range(s):
            i = (p * s + q) * BLOCK
            o = (5 * p * s + q) * BLOCK
            for c in range(LANES):
                ar, ai = x[i + c], x[i + LANES + c]
                br, bi = x[i + d + c], x[i + d + LANES + c]
                cr, ci = x[i + 2 * d + c], x[i + 2 * d + LANES + c]
                dr, di = x[i + 3 * d + c], x[i + 3 * d + LANES + c]
                er, ei = x[i + 4 * d + c], x[i + 4 * d + LANES + c]
                t1r, t1i, t2r, t2i = br + er, bi + ei, cr + dr, ci + di
                t3r, t3i, t4r, t4i = bi - ei, er - br, ci - di, dr - cr
                y[o + c], y[o + LANES + c] = ar + t1r + t2r, ai + t1i + t2i
                pr, pi = ar + k1 * t1r + k2 * t2r, ai + k1 * t1i + k2 * t2i
                qr, qi = h1 * t3r + h2 * t4r, h1 * t3i + h2 * t4i
                ur, ui = pr + qr, pi + qi
                y[o + e + c], y[o + e + LANES + c] = ur * c1 - ui * s1, ur * s1 + ui * c1
                ur, ui = pr - qr, pi - qi
                y[o + 4 * e + c], y[o + 4 * e + LANES + c] = ur * c4 - ui * s4, ur * s4 + ui * c4
                pr, pi = ar + k2 * t1r + k1 * t2r, ai + k2 * t1i + k1 * t2i
                qr, qi = h2 * t3r - h1 * t4r, h2 * t3i - h1 * t4i
                ur, ui = pr + qr, pi + qi
                y[o + 2 * e + c], y[o + 2 * e + LANES + c] = ur * c2 - ui * s2, ur * s2 + ui * c2
                ur, ui = pr - qr, pi - qi
                y[o + 3 * e + c], y[o + 3 * e + LANES + c] = ur * c3 - ui * s3, ur * s3 + ui * c3


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def fft384(x: Array, y: Array, w: Array) -> tuple[Array, Array]:
    _radix4(x, y, w, 384, 1, 1)
    _radix4(y, x, w, 96, 4, 4)
    _radix4(x, y, w, 24, 16, 16)
    _radix3(y, x, w, 6, 64, 64)
    _radix2(x, y, 192)
    return y, x


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def fft160(x: Array, y: Array, w: Array) -> tuple[Array, Array]:
    _radix5(x, y, w, 160, 1, 1)
    _radix4(y, x, w, 32, 5, 5)
    _radix4(x, y, w, 8, 20, 20)
    _radix2(y, x, 80)
    return x, y


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def fft96(x: Array, y: Array, w: Array) -> tuple[Array, Array]:
    _radix4(x, y, w, 96, 1, 1)
    _radix4(y, x, w, 24, 4, 4)
    _radix3(x, y, w, 6, 16, 16)
    _radix2(y, x, 48)
    return x, y


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def fft64(x: Array, y: Array, w: Array) -> tuple[Array, Array]:
    _radix4(x, y, w, 64, 1, 1)
    _radix4(y, x, w, 16, 4, 4)
    _radix4(x, y, w, 4, 16, 16)
    return y, x


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def fft32(x: Array, y: Array, w: Array) -> tuple[Array, Array]:
    _radix4(x, y, w, 32, 1, 1)
    _radix4(y, x, w, 8, 4, 4)
    _radix2(x, y, 16)
    return y, x


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def fft16(x: Array, y: Array, w: Array) -> tuple[Array, Array]:
    _radix4(x, y, w, 16, 1, 1)
    _radix4(y, x, w, 4, 4, 4)
    return x, y


@numba.njit(inline="always")
def _activate(z: Array, x: Array, length: int, norm: Array, first: int) -> None:
    """Bias, ReLU, batch normalisation and max-pooling of 2 * length samples, from z into x."""
    for part in range(2):
        o = first + part * LANES
        for t in range(length):
            i = 4 * t * LANES + part * LANES
            j = 2 * t * LANES + part * LANES
            for c in range(LANES):
                bias, scale, shift = norm[0, o + c], norm[1, o + c], norm[2, o + c]
                a = max(z[i + c] + bias, np.float32(0)) * scale + shift
                b = max(z[i + BLOCK + c] + bias, np.float32(0)) * scale + shift
                x[j + c] = max(a, b)


@numba.njit(inline="always")
def _scatter(z: Array, y: Array, out: Array, n: int, frame: int, first: int) -> None:
    """Part the two channels' spectra (times 2) and store re + im, re and im for `multiply`."""
    f = n // 2 + 1
    for k in range(f):
        u = z[k * BLOCK : (k + 1) * BLOCK]
        j = ((n - k) % n) * BLOCK
        v = z[j : j + BLOCK]
        for c in range(LANES):
            a, b, d, e = u[c], u[LANES + c], v[c], v[LANES + c]
            y[c], y[LANES + c] = a + d, b + e
            y[2 * LANES + c], y[3 * LANES + c] = b - e, d - a
            y[4 * LANES + c], y[5 * LANES + c] = a + d + b - e, b + e + d - a
        both = out[k, frame, first : first + BLOCK]
        real = out[f + k, frame, first : first + BLOCK]
        imag = out[2 * f + k, frame, first : first + BLOCK]
        for c in range(BLOCK):
            real[c], imag[c], both[c] = y[c], y[BLOCK + c], y[2 * BLOCK + c]


@numba.njit(inline="always")
def _gather(products: Array, x: Array, n: int, frame: int, panel: int, first: int) -> None:
    """Three real products to one complex spectrum for each channel, and two of these into one."""
    f = n // 2 + 1
    for k in range(f):
        k1 = products[k, panel, frame, first : first + BLOCK]
        k2 = products[f + k, panel, frame, first : first + BLOCK]
        k3 = products[2 * f + k, panel, frame, first : first + BLOCK]
        u = x[k * BLOCK : (k + 1) * BLOCK]
        j = ((n - k) % n) * BLOCK
        v = x[j : j + BLOCK]
        for c in range(LANES):
            pr, pi = k1[c] - k3[c], k1[c] + k2[c]
            qr, qi = k1[LANES + c] - k3[LANES + c], k1[LANES + c] + k2[LANES + c]
            v[c], v[LANES + c] = pr - qi, pi + qr
            u[c], u[LANES + c] = pr + qi, qr - pi


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def enter(
    spectra: Array,
    weights: Array,
    norm: Array,
    out: Array,
    start: int,
    stop: int,
    w384: Array,
    w160: Array,
    x: Array,
    y: Array,
) -> None:
    """First layer of channel blocks start to stop, and their spectra for the second.

    spectra : (B, 384, 8)  real, then imaginary parts of the four phases of each frame
    weights : (K / BLOCK, 384 * 8 * LANES)  likewise: two channels are one complex filter
    norm : (3, K)  bias, scale, shift
    out : (3 * 81, B, at least (stop - start) * BLOCK)
    """
    for g in range(start, stop):
        for b in range(spectra.shape[0]):
            _product(spectra[b], weights[g], x)
            z, spare = fft384(x, y, w384)
            _activate(z, spare, 128, norm, g * BLOCK)
            spare[128 * BLOCK : 160 * BLOCK] = np.float32(0)
            z, spare = fft160(spare, z, w160)
            _scatter(z, spare, out, 160, b, (g - start) * BLOCK)


@numba.njit(inline="always")
def _product(s: Array, w: Array, x: Array) -> None:
    """First layer at every frequency: a sum over the four phases (offsets count LANES = 16)."""
    for k in range(384):
        a0, a1, a2, a3 = s[k, 0], s[k, 1], s[k, 2], s[k, 3]
        b0, b1, b2, b3 = s[k, 4], s[k, 5], s[k, 6], s[k, 7]
        i = 8 * k * LANES
        o = 2 * k * LANES
        for c in range(LANES):
            u0, u1, u2, u3 = w[i + c], w[i + 16 + c], w[i + 32 + c], w[i + 48 + c]
            v0, v1, v2, v3 = w[i + 64 + c], w[i + 80 + c], w[i + 96 + c], w[i + 112 + c]
            x[o + c] = a0 * u0 - b0 * v0 + a1 * u1 - b1 * v1 + a2 * u2 - b2 * v2 + a3 * u3 - b3 * v3
            x[o + LANES + c] = (
                a0 * v0 + b0 * u0 + a1 * v1 + b1 * u1 + a2 * v2 + b2 * u2 + a3 * v3 + b3 * u3
            )


@numba.njit(inline="always")
def _cross(
    products: Array,
    norm: Array,
    out: Array,
    backward: Transform,
    forward: Transform,
    n: int,
    length: int,
    m: int,
    v: Array,
    w: Array,
    x: Array,
    y: Array,
) -> None:
    """From one layer's products to the next layer's spectra: n points back, m points forth."""
    width = products.shape[3]
    for b in range(products.shape[2]):
        for panel in range(products.shape[1]):
            for first in range(0, width, BLOCK):
                channel = panel * width + first
                _gather(products, x, n, b, panel, first)
                z, spare = backward(x, y, v)
                _activate(z, spare, length, norm, channel)
                spare[length * BLOCK : m * BLOCK] = np.float32(0)
                z, spare = forward(spare, z, w)
                _scatter(z, spare, out, m, b, channel)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def cross2(
    products: Array, norm: Array, out: Array, v: Array, w: Array, x: Array, y: Array
) -> None:
    _cross(products, norm, out, fft160, fft96, 160, 64, 96, v, w, x, y)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def cross3(
    products: Array, norm: Array, out: Array, v: Array, w: Array, x: Array, y: Array
) -> None:
    _cross(products, norm, out, fft96, fft64, 96, 32, 64, v, w, x, y)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def cross4(
    products: Array, norm: Array, out: Array, v: Array, w: Array, x: Array, y: Array
) -> None:
    _cross(products, norm, out, fft64, fft32, 64, 16, 32, v, w, x, y)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def cross5(
    products: Array, norm: Array, out: Array, v: Array, w: Array, x: Array, y: Array
) -> None:
    _cross(products, norm, out, fft32, fft16, 32, 8, 16, v, w, x, y)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def leave(products: Array, norm: Array, out: Array, v: Array, x: Array, y: Array) -> None:
    """From the sixth layer's products to the features: out is (1, B, 4 C), channels fastest."""
    width = products.shape[3]
    channels = products.shape[1] * width
    for b in range(products.shape[2]):
        for panel in range(products.shape[1]):
            for first in range(0, width, BLOCK):
                _gather(products, x, 16, b, panel, first)
                z, spare = fft16(x, y, v)
                _activate(z, spare, 4, norm, panel * width + first)
                for t in range(4):
                    o = t * channels + panel * width + first
                    for c in range(LANES):
                        out[0, b, o + c] = spare[2 * t * LANES + c]
                        out[0, b, o + LANES + c] = spare[(2 * t + 1) * LANES + c]


@numba.njit(inline="always")
def _panel(s: Array, u: Array, v: Array, width: int) -> None:
    """v += s u: six rows and four columns of s at a time keep a vector unit's registers full."""
    for i in range(0, s.shape[0], ROWS):
        for k in range(0, s.shape[1], 4):
            a0, a1, a2, a3 = s[i, k], s[i, k + 1], s[i, k + 2], s[i, k + 3]
            b0, b1, b2, b3 = s[i + 1, k], s[i + 1, k + 1], s[i + 1, k + 2], s[i + 1, k + 3]
            c0, c1, c2, c3 = s[i + 2, k], s[i + 2, k + 1], s[i + 2, k + 2], s[i + 2, k + 3]
            d0, d1, d2, d3 = s[i + 3, k], s[i + 3, k + 1], s[i + 3, k + 2], s[i + 3, k + 3]
            e0, e1, e2, e3 = s[i + 4, k], s[i + 4, k + 1], s[i + 4, k + 2], s[i + 4, k + 3]
            f0, f1, f2, f3 = s[i + 5, k], s[i + 5, k + 1], s[i + 5, k + 2], s[i + 5, k + 3]
            for c in range(width):
                u0, u1, u2, u3 = u[k, c], u[k + 1, c], u[k + 2, c], u[k + 3, c]
                v[i, c] = v[i, c] + a0 * u0 + a1 * u1 + a2 * u2 + a3 * u3
                v[i + 1, c] = v[i + 1, c] + b0 * u0 + b1 * u1 + b2 * u2 + b3 * u3
                v[i + 2, c] = v[i + 2, c] + c0 * u0 + c1 * u1 + c2 * u2 + c3 * u3
                v[i + 3, c] = v[i + 3, c] + d0 * u0 + d1 * u1 + d2 * u2 + d3 * u3
                v[i + 4, c] = v[i + 4, c] + e0 * u0 + e1 * u1 + e2 * u2 + e3 * u3
                v[i + 5, c] = v[i + 5, c] + f0 * u0 + f1 * u1 + f2 * u2 + f3 * u3


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _panel32(s: Array, u: Array, v: Array) -> None:
    _panel(s, u, v, 32)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _panel128(s: Array, u: Array, v: Array) -> None:
    _panel(s, u, v, 128)


@numba.njit(cache=True, nogil=True)
def multiply32(a: Array, w: Array, out: Array) -> None:
    """Add a (P, B, K) times w (P, C / 32, K, 32) to out (P, C / 32, B, 32), plane by plane."""
    for p in range(a.shape[0]):
        for block in range(w.shape[1]):
            _panel32(a[p], w[p, block], out[p, block])


@numba.njit(cache=True, nogil=True)
def multiply128(a: Array, w: Array, out: Array) -> None:
    """Add a (P, B, K) times w (P, C / 128, K, 128) to out (P, C / 128, B, 128), likewise."""
    for p in range(a.shape[0]):
        for block in range(w.shape[1]):
            _panel128(a[p], w[p, block], out[p, block])
