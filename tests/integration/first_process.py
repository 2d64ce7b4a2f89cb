"""Runs a Python command as if it were a container's first process: what is orphaned below it becomes its child.

A container has no init that buries the dead, unless asked for one, and a service must do without it.
"""

import ctypes
import os
import sys

PR_SET_CHILD_SUBREAPER = 36  # Linux; outlives the exec

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606 (no shell is wanted)
