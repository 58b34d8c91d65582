"""Robust fits of t = a + b n^p, many at a time: what the exponent's interval is made of.

Noise of timings is relative (a busy machine lengthens a run by a share), so log t is fitted: log(a + b n^p) = beta + log(c + u^p)
with u = n / n_max and c = a / (b n_max^p) >= 0. Loss: Huber's with k = 1.345 of a robust scale, so that one disturbed run in ten
pulls little. Start: the least of a grid of (p, c); then damped Gauss-Newton steps (Levenberg-Marquardt) with c and p held inside
their bounds. One call fits all bootstrap samples at once, which scipy.optimize.least_squares cannot; the tests hold it to scipy's
optimum. Products are einsum's, not BLAS's: on matrices this small its threads cost more than they bring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scale.statistics.plain import Array, Indices

P_LOW, P_HIGH = 0.05, 4.0
_HUBER = 1.345  # 95 % efficient under Gaussian noise
_SCALE_FLOOR = 1e-6
_EXPONENTS = np.arange(0.2, 3.51, 0.1)
_OVERHEADS = np.concatenate([[0.0], np.geomspace(0.003, 10, 11)])


@dataclass(frozen=True)
class Curves:
    """Fitted curves, one for each sample: t = exp(beta) (c + u^p)."""

    beta: Array
    p: Array
    c: Array

    def log_values(self, log_u: Array) -> Array:
        """log t of each curve (rows) at each log u (columns)."""
        values: Array = self.beta[:, None] + np.log(self.c[:, None] + np.exp(self.p[:, None] * log_u))
        return values


def fit_curves(log_u: Array, log_t: Array, sizes: Indices) -> Curves:
    """The curve of each row of log_t (samples x runs); sizes[i] is the index of run i's size, log_u its log(n / n_max)."""
    count = int(sizes.max()) + 1
    log_sizes = np.array([log_u[sizes == size][0] for size in range(count)])
    centre = np.column_stack([np.median(log_t[:, sizes == size], axis=1) for size in range(count)])
    rough = _refine(log_sizes, centre, _start(log_sizes, centre), None, 4)
    scale = np.maximum(1.4826 * np.median(np.abs(log_t - rough.log_values(log_u)), axis=1), _SCALE_FLOOR)
    return _refine(log_u, log_t, rough, scale, 10)


def _start(log_u: Array, log_t: Array) -> Curves:
    """The best of the grid for each row, by least squares; beta follows from the other two."""
    grid = np.log(_OVERHEADS[:, None, None] + np.exp(_EXPONENTS[None, :, None] * log_u)).reshape(-1, len(log_u))
    shape = grid - grid.mean(axis=1, keepdims=True)
    cost = (shape**2).sum(axis=1) - 2 * np.einsum("bn,gn->bg", log_t, shape)
    best = cost.argmin(axis=1)
    overhead, exponent = np.unravel_index(best, (len(_OVERHEADS), len(_EXPONENTS)))
    return Curves(log_t.mean(axis=1) - grid[best].mean(axis=1), _EXPONENTS[exponent], _OVERHEADS[overhead])


def _refine(log_u: Array, log_t: Array, curves: Curves, scale: Array | None, steps: int) -> Curves:
    """Levenberg-Marquardt on all rows; a step that does not lower a row's loss is taken back and damped. scale None: squares."""
    damping = np.full(len(log_t), 1e-3)
    loss = _loss(log_t - curves.log_values(log_u), scale)
    for _ in range(steps):
        step = _step(log_u, log_t - curves.log_values(log_u), curves, scale, damping)
        tried = Curves(
            curves.beta + step[:, 0],
            np.clip(curves.p + step[:, 1], P_LOW, P_HIGH),
            np.maximum(curves.c + step[:, 2], 0),
        )
        tried_loss = _loss(log_t - tried.log_values(log_u), scale)
        better = tried_loss <= loss
        curves = Curves(
            np.where(better, tried.beta, curves.beta),
            np.where(better, tried.p, curves.p),
            np.where(better, tried.c, curves.c),
        )
        loss = np.where(better, tried_loss, loss)
        damping = np.where(better, damping / 5, damping * 8)
    return curves


def _loss(residuals: Array, scale: Array | None) -> Array:
    size = np.abs(residuals)
    if scale is None:
        squares: Array = (size**2).sum(axis=1)
        return squares
    bend = _HUBER * scale[:, None]
    loss: Array = np.where(size <= bend, size**2, 2 * bend * size - bend**2).sum(axis=1)
    return loss


def _step(log_u: Array, residuals: Array, curves: Curves, scale: Array | None, damping: Array) -> Array:
    """The damped Gauss-Newton step of (beta, p, c); a c at its bound that would go below stays there."""
    power = np.exp(curves.p[:, None] * log_u)
    total = curves.c[:, None] + power
    slopes = np.stack([np.ones_like(power), power * log_u / total, 1 / total], axis=2)
    weighted = slopes
    if scale is not None:
        weights = np.minimum(1, _HUBER * scale[:, None] / np.maximum(np.abs(residuals), _SCALE_FLOOR))
        weighted = slopes * weights[:, :, None]
    normal = np.einsum("bni,bnj->bij", weighted, slopes)
    gradient = np.einsum("bni,bn->bi", weighted, residuals)
    held = (curves.c <= 0) & (gradient[:, 2] < 0)
    normal[held, 2, :] = normal[held, :, 2] = gradient[held, 2] = 0
    normal[held, 2, 2] = 1
    diagonal = np.einsum("bii->bi", normal)
    damped = normal + (damping[:, None] * diagonal + 1e-12)[:, :, None] * np.eye(3)
    step: Array = np.linalg.solve(damped, gradient[:, :, None])[:, :, 0]
    return step
