"""A primal-dual step of total-variation denoising in one pass over the memory: a compiled kernel for the CPU.

A step must read p (a value an axis), x, its extrapolation and y, and write all but y: 11 volumes in 3-D. The
sweep does no more. It goes row by row, so that what a row needs of its neighbours is still in the cache. The
torch twin, for other devices and for gradients, is :class:`gradatim.solve.pdhg.Pdhg`.
"""

import numpy as np
from numba import njit


@njit(cache=True, fastmath=True, error_model="numpy")
def _dual_row(p0, p1, p2, a, a0, a1, steps, radius):  # pragma: no cover - compiled
    """p ← p + σ∇a, shortened to the ball; a0 and a1 are the next rows, a itself at a far face."""
    s0, s1, s2 = steps[0], steps[1], steps[2]
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
def _primal_row(x, a, y, p0, b0, p1, b1, p2, pulls, tau, theta):  # pragma: no cover - compiled
    """x ← (x − τ∇*p + τy)/(1 + τ) and its extrapolation; b0 and b1 are the rows of p before. Movement and length."""
    t0, t1, t2 = pulls[0], pulls[1], pulls[2]
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
def sweep(x, ahead, y, p, steps, pulls, radius, tau, theta, zeros):  # pragma: no cover - compiled
    """One step for all rows, in place; gives Σ(x⁺ − x)² and Σ(x⁺)².

    Arrays x, ahead, y: (b, n0, n1, n2); p: (b, 3, n0, n1, n2); zeros: (n2,). steps σ/hᵢ, pulls τ/hᵢ. All of one dtype.
    """
    items, n0, n1, _ = x.shape
    moved, length = 0.0, 0.0
    for b in range(items):
        for i in range(n0):
            for j in range(n1):
                p0, p1, p2, a = p[b, 0, i, j], p[b, 1, i, j], p[b, 2, i, j], ahead[b, i, j]
                a0 = ahead[b, i + 1, j] if i + 1 < n0 else a
                a1 = ahead[b, i, j + 1] if j + 1 < n1 else a
                _dual_row(p0, p1, p2, a, a0, a1, steps, radius)
                b0 = p[b, 0, i - 1, j] if i > 0 else zeros
                b1 = p[b, 1, i, j - 1] if j > 0 else zeros
                row = _primal_row(x[b, i, j], a, y[b, i, j], p0, b0, p1, b1, p2, pulls, tau, theta)
                moved += row[0]
                length += row[1]
    return moved, length


@njit(cache=True, fastmath=True, error_model="numpy")
def _values_row(x, x0, x1, y, p0, b0, p1, b1, p2, scales):  # pragma: no cover - compiled
    """½Σ(x − y)², Σ|∇x|, ½Σ(∇*p)² and Σ y·∇*p over a row, in float64."""
    h0, h1, h2 = scales[0], scales[1], scales[2]
    last = x.shape[0] - 1
    misfit, variation, energy, product = 0.0, 0.0, 0.0, 0.0
    for k in range(last + 1):
        g2 = h2 * (x[k + 1] - x[k]) if k < last else h2 * 0
        g0, g1 = h0 * (x0[k] - x[k]), h1 * (x1[k] - x[k])
        before = p2[k - 1] if k > 0 else h2 * 0
        pull = h0 * (b0[k] - p0[k]) + h1 * (b1[k] - p1[k]) + h2 * (before - p2[k])
        away = x[k] - y[k]
        misfit += np.float64(away) * away
        variation += np.sqrt(np.float64(g0 * g0 + g1 * g1 + g2 * g2))
        energy += np.float64(pull) * pull
        product += np.float64(y[k]) * pull
    return 0.5 * misfit, variation, 0.5 * energy, product


@njit(cache=True, error_model="numpy", nogil=True)
def values(x, y, p, scales, zeros):  # pragma: no cover - compiled
    """½‖x − y‖², TV(x), ½‖∇*p‖² and ⟨y, ∇*p⟩: what objective and duality gap are made of. scales: 1/hᵢ."""
    items, n0, n1, _ = x.shape
    misfit, variation, energy, product = 0.0, 0.0, 0.0, 0.0
    for b in range(items):
        for i in range(n0):
            for j in range(n1):
                here = x[b, i, j]
                x0 = x[b, i + 1, j] if i + 1 < n0 else here
                x1 = x[b, i, j + 1] if j + 1 < n1 else here
                p0, p1, p2 = p[b, 0, i, j], p[b, 1, i, j], p[b, 2, i, j]
                b0 = p[b, 0, i - 1, j] if i > 0 else zeros
                b1 = p[b, 1, i, j - 1] if j > 0 else zeros
                row = _values_row(here, x0, x1, y[b, i, j], p0, b0, p1, b1, p2, scales)
                misfit += row[0]
                variation += row[1]
                energy += row[2]
                product += row[3]
    return misfit, variation, energy, product
