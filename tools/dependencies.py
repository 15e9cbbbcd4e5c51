"""What a wheel requires at run time; scikit-build-core asks for it while it builds one.

`tool.dynamic-metadata` in pyproject.toml names this file. A wheel is for one Python: its requirements are those of the Python
that builds it. The sdist's say that they may differ.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Mapping
from typing import Any


class Dependencies:
    def dynamic_metadata(self, settings: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, list[str]]:
        free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
        return {"dependencies": settings["without_gil" if free_threaded else "with_gil"]}

    def dynamic_wheel(self, settings: Mapping[str, Any]) -> dict[str, bool]:
        return {"dependencies": True}
