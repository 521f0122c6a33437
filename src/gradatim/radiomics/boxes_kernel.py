"""The boxes of all labels in one pass over a label image: a compiled kernel for the CPU."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def spans(labels, highest):  # pragma: no cover - compiled
    """First and last index of every label 1 … highest along the three axes, (highest, 3, 2); last −1 for none."""
    found = np.empty((highest, 3, 2), dtype=np.int64)
    found[:, :, 0] = labels.size
    found[:, :, 1] = -1
    nx, ny, nz = labels.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                label = labels[i, j, k]
                if label > 0:
                    span = found[label - 1]
                    span[0, 0] = min(span[0, 0], i)
                    span[0, 1] = i
                    span[1, 0] = min(span[1, 0], j)
                    span[1, 1] = max(span[1, 1], j)
                    span[2, 0] = min(span[2, 0], k)
                    span[2, 1] = max(span[2, 1], k)
    return found
