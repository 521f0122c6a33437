"""Whether automatic differentiation or ``torch.func`` follows a computation.

Torch has no public questions for the transforms of ``torch.func``. The two private ones used here are what
``torch.autograd.Function`` itself asks, unchanged since torch 2.0.
"""

import torch
from torch import Tensor
from torch.autograd import forward_ad


def watched(x: Tensor) -> bool:
    """Whether x itself is followed, so that what is computed from it must be made of torch's steps.

    True where reverse mode records x, where x carries a forward tangent, and where x is the variable of a
    transform such as ``torch.func.grad`` or ``vmap``.

    Example:
        >>> watched(torch.ones(1)), watched(torch.ones(1, requires_grad=True))
        (False, True)
    """
    if x.requires_grad and torch.is_grad_enabled():
        return True
    if torch.compiler.is_compiling():  # the compiler sees through torch's steps, not through these questions
        return False
    if torch._C._functorch.is_functorch_wrapped_tensor(x):
        return True
    return forward_ad.unpack_dual(x).tangent is not None


def transforming() -> bool:
    """Whether a ``torch.func`` transform runs: then even a plain tensor must not leave for NumPy.

    Example:
        >>> torch.func.vmap(lambda x: x * transforming())(torch.ones(2)).tolist(), transforming()
        ([1.0, 1.0], False)
    """
    return not torch.compiler.is_compiling() and torch._C._are_functorch_transforms_active()
