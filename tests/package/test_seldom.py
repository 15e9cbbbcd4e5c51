"""cmake/seldom.py: what is marked `# seldom` in the Cython is PORTABLE_SELDOM in C, and nothing else is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import TOOLS, load

SCRIPT = TOOLS.parent / "cmake" / "seldom.py"
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="needs the source tree: cmake/seldom.py")

# As Cython 3.3 writes it.
C = """\
static int __pyx_f_4core_often(int); /*proto*/
/* "core.pyx":1
 * cdef int often(int n):             # <<<<<<<<<<<<<<
 *     return n  # seldom
 */

static int __pyx_f_4core_often(int __pyx_v_n) {
}

/* "core.pyx":4
 *
 * def seldom(n):  # seldom             # <<<<<<<<<<<<<<
 *     pass
*/

/* Python wrapper */
static PyObject *__pyx_pw_4core_1seldom(PyObject *__pyx_self, PyObject *__pyx_v_n); /*proto*/
static PyMethodDef __pyx_mdef_4core_1seldom = {"seldom", (PyCFunction)__pyx_pw_4core_1seldom, METH_O, 0};
static PyObject *__pyx_pw_4core_1seldom(PyObject *__pyx_self, PyObject *__pyx_v_n) {
  return __pyx_pf_4core_seldom(__pyx_self, __pyx_v_n);
}
static PyObject *__pyx_pf_4core_seldom(PyObject *__pyx_self, PyObject *__pyx_v_n) {
}
/* "core.pyx":7
 * cdef int last(int n):             # <<<<<<<<<<<<<<
*/
static int __pyx_f_4core_last(int __pyx_v_n) {
"""


def test_only_what_is_marked() -> None:
    lines, places = load(SCRIPT).told(C.split("\n"))
    marked = [line for line in lines if "PORTABLE_SELDOM" in line]
    assert places == len(marked) == 3
    assert all(re.match(r"static PORTABLE_SELDOM PyObject \*__pyx_p[wf]_4core_\d?seldom\(", line) for line in marked)
    assert "\n".join(lines).replace("PORTABLE_SELDOM ", "") == C


def test_c_without_marks_is_left_as_it_is_and_told(tmp_path: Path) -> None:
    before, after = tmp_path / "before.c", tmp_path / "after.c"
    before.write_text("int main(void) {}\n", encoding="utf-8")
    done = subprocess.run([sys.executable, str(SCRIPT), str(before), str(after)], capture_output=True, text=True, check=True)
    assert after.read_bytes() == before.read_bytes() and "no function is marked" in done.stderr
