# SPDX-License-Identifier: Apache-2.0
"""From real weights to integers.

`nearest` rounds each by itself. `reconstruct` rounds one column after the other and lets those that follow make up for
the error so far, measured on the layer's own inputs. Source: Frantar et al., GPTQ (2023), with the inputs' covariance
as the Hessian; the order of columns is by falling variance. `fit` moves the real weights first, by ridge regression, so
that the layer gives the float network's results from the inputs that the quantized network hands it.
"""

from __future__ import annotations

import numpy as np

from tinyc.ir.types import Array

DAMPING = 0.01  # of the mean variance: keeps the inverse sound where inputs are constant or few


def channel_scales(weights: Array, levels: int = 127) -> Array:
    """A scale for each row so that its largest weight is the last level; rows of zeros take the largest scale."""
    scales = np.abs(weights).max(axis=-1) / levels
    return np.where(scales > 0, scales, scales.max() if scales.max() > 0 else 1.0).astype(np.float32)


def nearest(weights: Array, scales: Array, levels: int = 127) -> Array:
    """Rows of real weights [..., R, K] to integers; scales [..., R]."""
    return np.clip(np.rint(weights / scales[..., None].astype(np.float64)), -levels, levels)


def reconstruct(
    weights: Array, scales: Array, covariance: Array, levels: int = 127, kept: Array | None = None
) -> Array:
    """Rows of real weights [..., R, K] to integers, by the covariance [..., K, K] of their inputs.

    kept: which weights may be other than zero, [..., R, K]; None: all.
    """
    count = weights.shape[-1]
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    damping = DAMPING * variance.mean(axis=-1) + 1e-12
    order = np.argsort(-variance, axis=-1, kind="stable")
    hessian = np.take_along_axis(np.take_along_axis(covariance, order[..., None], -2), order[..., None, :], -1)
    hessian = hessian + np.eye(count) * damping[..., None, None]
    upper = np.linalg.cholesky(np.linalg.inv(hessian)).swapaxes(-1, -2)
    columns = np.broadcast_to(order[..., None, :], weights.shape)
    rest = np.take_along_axis(weights.astype(np.float64), columns, -1)
    step = scales.astype(np.float64)
    free = np.ones_like(rest) if kept is None else np.take_along_axis(kept, columns, -1)
    rounded = np.zeros_like(rest)
    for k in range(count):
        rounded[..., k] = np.clip(np.rint(rest[..., k] / step), -levels, levels) * free[..., k]
        error = (rest[..., k] - rounded[..., k] * step) / upper[..., k, k, None]
        rest[..., k + 1:] -= error[..., None] * upper[..., k, None, k + 1:]
    result = np.empty_like(rounded)
    np.put_along_axis(result, columns, rounded, -1)
    return result


def fit(weights: Array, covariance: Array, error: Array, strength: float = 1.0) -> Array:
    """Weights [..., R, K] moved towards least error. `error` [..., K, R]: covariance of inputs with what is missing.

    `strength` is the ridge, in mean variances: the larger, the nearer the weights stay to what they were.
    """
    ridge = strength * np.diagonal(covariance, axis1=-2, axis2=-1).mean(axis=-1) + 1e-12
    damped = covariance + np.eye(covariance.shape[-1]) * ridge[..., None, None]
    return np.asarray(weights + np.linalg.solve(damped, error).swapaxes(-1, -2))
