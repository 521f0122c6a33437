"""What this installation can do, as plain data; imports torch."""

import os
import platform
from importlib.metadata import version
from typing import Any

import torch

from gradatim.base.optional import install_line, parts


def examine() -> dict[str, Any]:
    """Versions, devices, threads and optional parts, ready for JSON.

    Returns:
        ``versions`` name → version; ``devices`` one name each, the CPU first; ``threads`` torch's;
        ``cores`` those this process may use; ``parts`` extra → ``{"missing": [names], "install": line}``.
    """
    groups = parts()
    core = groups.pop("")
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "versions": {"gradatim": version("gradatim"), "python": platform.python_version(), **core},
        "devices": [f"cpu ({platform.machine()})", *gpus],
        "threads": torch.get_num_threads(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "parts": {
            extra: {"missing": [name for name, number in group.items() if not number], "install": install_line(extra)}
            for extra, group in sorted(groups.items())
        },
    }


def in_words(findings: dict[str, Any]) -> str:
    """The findings as lines for a person; an absent part shows the line that installs it."""
    lines = [f"{name:<14}{number or 'missing'}" for name, number in findings["versions"].items()]
    lines += ["", *(f"device        {name}" for name in findings["devices"])]
    lines += [f"threads       {findings['threads']} of {findings['cores']} cores", ""]
    for extra, part in findings["parts"].items():
        lines.append(f"part {extra:<9}" + (part["install"] if part["missing"] else "installed"))
    return "\n".join(lines)
