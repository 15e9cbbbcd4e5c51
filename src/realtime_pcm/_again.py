"""The package imported again, after `del sys.modules[...]`: its modules are those of the first import.

The core is loaded once in a process, and knows the message classes, DecodeError and AudioFormat of the first import. Other
classes of the same names would be no use: no message would be of them.
"""

import sys

from ._core import first_import

sys.modules.update(first_import)


def keep() -> None:
    """Called at the end of each import of the package."""
    if not first_import:
        package = __name__.rpartition(".")[0]
        first_import.update({name: sys.modules[name] for name in list(sys.modules) if f"{name}.".startswith(f"{package}.")})
    sys.modules.update(first_import)
