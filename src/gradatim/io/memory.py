"""How much memory an image may take before it is read."""

import os
from pathlib import Path

SHARE = 8
"""An image may take one part in this many of the free memory: the chain holds several images of its size."""

_CGROUP = Path("/sys/fs/cgroup")


def free_memory_bytes() -> int:
    """Memory that a process may still take: what the system has free, or what its control group leaves.

    Returns:
        Bytes; 2 GiB where the system does not say.
    """
    return min(_system_free(), _group_free())


def default_budget_bytes() -> int:
    """Largest unpacked image that a reader accepts unless told otherwise: free memory / 8."""
    return free_memory_bytes() // SHARE


def _system_free() -> int:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return 2 << 30


def _group_free() -> int:
    """What Linux' control group (a container's limit) leaves, a very large number where there is none."""
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = (_CGROUP / "memory.current").read_text(encoding="ascii").strip()
    except OSError:
        return 1 << 62
    return max(int(limit) - int(used), 0) if limit.isdigit() else 1 << 62
