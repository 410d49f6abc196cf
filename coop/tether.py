"""Become another program that ends when its parent does, and that is never root where it refuses to be.

Run as a program of its own (`python -I -S tether.py SIGNAL PARENT GUISE ARGUMENTS...`), so that nothing runs between fork and exec.
GUISE says who the program becomes: `plain` stays the same; `namespace` sees itself as nobody while its files stay ours;
`nobody` is nobody indeed and keeps just the right to reach files below folders closed to others.
"""

import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

NOBODY = 65534
_SET_PDEATHSIG, _SET_KEEPCAPS, _CAP_AMBIENT, _AMBIENT_RAISE = 1, 8, 47, 2
_CLONE_NEWUSER = 0x10000000
_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def main(arguments: list[str]) -> None:
    """Put the guise on, tie this process to its parent, and become the program."""
    number, parent, guise, *program = arguments
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
        if guise == "namespace":
            _enter_namespace(libc)
        elif guise == "nobody":
            _become_nobody(libc)
        _call(libc.prctl, _SET_PDEATHSIG, int(number), 0, 0, 0)  # after the guise: changing identity would clear it
        if os.getppid() != int(parent):  # it died before we were tied to it
            sys.exit(128 + signal.SIGTERM)
    os.execv(program[0], program)  # noqa: S606 - becoming the program is what this file is for


def _enter_namespace(libc: ctypes.CDLL) -> None:
    own, group = os.geteuid(), os.getegid()
    _call(libc.unshare, _CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {own} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1", "ascii")


def _become_nobody(libc: ctypes.CDLL) -> None:
    _call(libc.prctl, _SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    only = 1 << _DAC_OVERRIDE
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))
    wanted = ctypes.create_string_buffer(struct.pack("=6I", only, only, only, 0, 0, 0))
    _call(libc.capset, header, wanted)
    _call(libc.prctl, _CAP_AMBIENT, _AMBIENT_RAISE, _DAC_OVERRIDE, 0, 0)


def _call(function: object, *arguments: object) -> None:
    if function(*arguments) != 0:  # type: ignore[operator]
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main(sys.argv[1:])
