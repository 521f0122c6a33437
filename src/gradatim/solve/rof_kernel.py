"""A primal-dual step of total-variation denoising in one pass over the memory: a compiled kernel for the CPU.

A step must read p (a value an axis), x, its extrapolation and y, and write all but y: 11 volumes in 3-D. The
sweep does no more. It goes row by row, so that what a row needs of its neighbours is still in the cache. The
torch twin, for other devices and for gradients, is :class:`gradatim.solve.pdhg.Pdhg`.

Arrays x, ahead, y are (b, n0, n1, n2), p is (b, 3, n0, n1, n2), scales are 1/hᵢ, all of one dtype.
"""

import numpy as np
from numba import njit


@njit(cache=True, fastmath=True, error_model="numpy")
def _dual_row(here, a, following, steps, radius):  # pragma: no cover - compiled
    """p ← p + σ∇a, shortened to the ball; ``following`` are the next rows, a itself at a far face."""
    p0, p1, p2 = here
    a0, a1 = following
    s0, s1, s2 = steps
    last = a.shape[0] - 1
    for k in range(last):
        q0 = p0[k] + s0 * (a0[k] - a[k])
        q1 = p1[k] + s1 * (a1[k] - a[k])
        q2 = p2[k] + s2 * (a[k + 1] - a[k])
        shrink = radius / max(np.sqrt(q0 * q0 + q1 * q1 + q2 * q2), radius)
        p0[k] = q0 * shrink
        p1[k] = q1 * shrink
        p2[k] = q2 * shrink
    q0 = p0[last] + s0 * (a0[last] - a[last])
    q1 = p1[last] + s1 * (a1[last] - a[last])
    shrink = radius / max(np.sqrt(q0 * q0 + q1 * q1), radius)
    p0[last] = q0 * shrink
    p1[last] = q1 * shrink


@njit(cache=True, fastmath=True, error_model="numpy")
def _primal_row(x, a, y, here, before, pulls, tau, theta):  # pragma: no cover - compiled
    """x ← (x − τ∇*p + τy)/(1 + τ) and its extrapolation, ``before`` the rows of p before; Σ(x⁺ − x)² and Σ(x⁺)²."""
    p0, p1, p2 = here
    b0, b1 = before
    t0, t1, t2 = pulls
    share = 1 / (1 + tau)
    new = (x[0] + t0 * (p0[0] - b0[0]) + t1 * (p1[0] - b1[0]) + t2 * p2[0] + tau * y[0]) * share
    a[0] = new + theta * (new - x[0])
    moved, length = (new - x[0]) * (new - x[0]), new * new
    x[0] = new
    for k in range(1, x.shape[0]):
        new = (x[k] + t0 * (p0[k] - b0[k]) + t1 * (p1[k] - b1[k]) + t2 * (p2[k] - p2[k - 1]) + tau * y[k]) * share
        move = new - x[k]
        a[k] = new + theta * move
        moved += move * move
        length += new * new
        x[k] = new
    return moved, length


@njit(cache=True, error_model="numpy", nogil=True)
def sweep(state, y, scales, numbers):  # pragma: no cover - compiled
    """One step for all rows, in place: state (x, ahead, p), numbers (λ, σ, τ, θ); gives Σ(x⁺ − x)² and Σ(x⁺)²."""
    x, ahead, p = state
    radius, sigma, tau, theta = numbers
    steps = (sigma * scales[0], sigma * scales[1], sigma * scales[2])
    pulls = (tau * scales[0], tau * scales[1], tau * scales[2])
    items, n0, n1, n2 = x.shape
    zeros = np.zeros(n2, x.dtype)
    moved, length = 0.0, 0.0
    for b in range(items):
        for i in range(n0):
            for j in range(n1):
                here, a = (p[b, 0, i, j], p[b, 1, i, j], p[b, 2, i, j]), ahead[b, i, j]
                a0 = ahead[b, i + 1, j] if i + 1 < n0 else a
                a1 = ahead[b, i, j + 1] if j + 1 < n1 else a
                _dual_row(here, a, (a0, a1), steps, radius)
                b0 = p[b, 0, i - 1, j] if i > 0 else zeros
                b1 = p[b, 1, i, j - 1] if j > 0 else zeros
                row = _primal_row(x[b, i, j], a, y[b, i, j], here, (b0, b1), pulls, tau, theta)
                moved += row[0]
                length += row[1]
    return moved, length


@njit(cache=True, fastmath=True, error_model="numpy")
def _values_row(x, following, y, here, before, scales):  # pragma: no cover - compiled
    """½Σ(x − y)², Σ|∇x|, ½Σ(∇*p)² and Σ y·∇*p over a row, in float64."""
    x0, x1 = following
    p0, p1, p2 = here
    b0, b1 = before
    h0, h1, h2 = scales[0], scales[1], scales[2]
    last = x.shape[0] - 1
    misfit, variation, energy, product = 0.0, 0.0, 0.0, 0.0
    for k in range(last + 1):
        g2 = h2 * (x[k + 1] - x[k]) if k < last else h2 * 0
        g0, g1 = h0 * (x0[k] - x[k]), h1 * (x1[k] - x[k])
        left = p2[k - 1] if k > 0 else h2 * 0
        pull = h0 * (b0[k] - p0[k]) + h1 * (b1[k] - p1[k]) + h2 * (left - p2[k])
        away = x[k] - y[k]
        misfit += np.float64(away) * away
        variation += np.sqrt(np.float64(g0 * g0 + g1 * g1 + g2 * g2))
        energy += np.float64(pull) * pull
        product += np.float64(y[k]) * pull
    return 0.5 * misfit, variation, 0.5 * energy, product


@njit(cache=True, error_model="numpy", nogil=True)
def values(x, y, p, scales):  # pragma: no cover - compiled
    """½‖x − y‖², TV(x), ½‖∇*p‖² and ⟨y, ∇*p⟩: what objective and duality gap are made of."""
    items, n0, n1, n2 = x.shape
    zeros = np.zeros(n2, x.dtype)
    misfit, variation, energy, product = 0.0, 0.0, 0.0, 0.0
    for b in range(items):
        for i in range(n0):
            for j in range(n1):
                x0 = x[b, i + 1, j] if i + 1 < n0 else x[b, i, j]
                x1 = x[b, i, j + 1] if j + 1 < n1 else x[b, i, j]
                here = (p[b, 0, i, j], p[b, 1, i, j], p[b, 2, i, j])
                b0 = p[b, 0, i - 1, j] if i > 0 else zeros
                b1 = p[b, 1, i, j - 1] if j > 0 else zeros
                row = _values_row(x[b, i, j], (x0, x1), y[b, i, j], here, (b0, b1), scales)
                misfit += row[0]
                variation += row[1]
                energy += row[2]
                product += row[3]
    return misfit, variation, energy, product
