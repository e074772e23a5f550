# SPDX-License-Identifier: MIT
"""Runs a command that handles hostile input: no network, few files, hard limits."""

from grader.sandbox.box import Mount, Sandbox
from grader.sandbox.child import Child, await_end, resume, stop_all, stopping
from grader.sandbox.exceeded import exceeded, told
from grader.sandbox.model import Limits, Result, Stop, Stopped, Tier
from grader.sandbox.tiers import close_staffs, detect, force, require_tier
from grader.sandbox.usage import cpu_s

__all__ = [
    "Child",
    "Limits",
    "Mount",
    "Result",
    "Sandbox",
    "Stop",
    "Stopped",
    "Tier",
    "await_end",
    "close_staffs",
    "cpu_s",
    "detect",
    "exceeded",
    "force",
    "require_tier",
    "resume",
    "stop_all",
    "stopping",
    "told",
]
