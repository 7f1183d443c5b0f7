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
    scales = np.abs(weights).max(axis=1) / levels
    return np.where(scales > 0, scales, scales.max() if scales.max() > 0 else 1.0).astype(np.float32)


def nearest(weights: Array, scales: Array, levels: int = 127) -> Array:
    """Rows of real weights [R, K] to integers."""
    return np.clip(np.rint(weights / scales[:, None].astype(np.float64)), -levels, levels)


def reconstruct(weights: Array, scales: Array, covariance: Array, levels: int = 127) -> Array:
    """Rows of real weights [R, K] to integers, by the covariance [K, K] of their inputs."""
    count = weights.shape[1]
    damping = DAMPING * float(np.mean(np.diag(covariance))) + 1e-12
    order = np.argsort(-np.diag(covariance), kind="stable")
    hessian = covariance[np.ix_(order, order)] + np.eye(count) * damping
    upper = np.linalg.cholesky(np.linalg.inv(hessian)).T
    rest = weights[:, order].astype(np.float64)
    step = scales.astype(np.float64)
    result = np.zeros_like(rest)
    for k in range(count):
        result[:, k] = np.clip(np.rint(rest[:, k] / step), -levels, levels)
        error = (rest[:, k] - result[:, k] * step) / upper[k, k]
        rest[:, k + 1:] -= np.outer(error, upper[k, k + 1:])
    return np.asarray(result[:, np.argsort(order)])


def fit(weights: Array, covariance: Array, error: Array, strength: float = 1.0) -> Array:
    """Weights [R, K] moved towards least error. `error` [K, R]: covariance of the inputs with what is missing.

    `strength` is the ridge, in mean variances: the larger, the nearer the weights stay to what they were.
    """
    ridge = strength * float(np.mean(np.diag(covariance))) + 1e-12
    return np.asarray(weights + np.linalg.solve(covariance + np.eye(len(covariance)) * ridge, error).T)
