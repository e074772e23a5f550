# SPDX-License-Identifier: MIT
"""How pytest-xdist spreads checks: a stage on an architecture stays on one worker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

CHECK = re.compile(
    r"(?:.*/)?checks/(?:staff/)?(test_[a-z0-9_]+)\.py::.*\[([a-z0-9_]+)\]$"
)


def scope(nodeid: str) -> str:
    """Checks of one file and architecture share boots; other tests stand alone."""
    found = CHECK.match(nodeid)
    return f"{found[1]}[{found[2]}]" if found else nodeid


def by_stage(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class ByStage(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return scope(nodeid)

    return ByStage(config, log)
