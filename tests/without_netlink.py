"""`python without_netlink.py PROGRAM …` becomes that program, which is never told that a network came or went.

Docker's tests make and remove networks of the machine, and Chromium drops whatever it is loading when it hears of one
(ERR_NETWORK_CHANGED). It hears of them by a netlink socket; without one it takes the machine to be online for good.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import sys
from errno import EAFNOSUPPORT

SOCKET_CALL = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""What the kernel calls the machine's instruction set (linux/audit.h), and the number of `socket` there."""
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
PR_SET_NO_NEW_PRIVS = 38
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
"""Where they stand in what a filter is given (linux/seccomp.h: struct seccomp_data)."""
ALLOW, REFUSE = 0x7FFF0000, 0x00050000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def refuse_netlink() -> None:
    """From here on, this process and all that come of it are refused netlink sockets, and nothing else.

    Raises:
        OSError: the kernel has no such filters, or not for us.
    """
    if platform.machine() not in SOCKET_CALL:
        raise OSError(f"no filter is known for {platform.machine()}")
    architecture, call = SOCKET_CALL[platform.machine()]
    filtered = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in (
            (LOAD, 0, 0, ARCHITECTURE),
            (JUMP_IF_EQUAL, 0, 5, architecture),
            (LOAD, 0, 0, NUMBER),
            (JUMP_IF_EQUAL, 0, 3, call),
            (LOAD, 0, 0, FIRST_ARGUMENT),
            (JUMP_IF_EQUAL, 0, 1, socket.AF_NETLINK),
            (RETURN, 0, 0, REFUSE | EAFNOSUPPORT),
            (RETURN, 0, 0, ALLOW),
        )
    )
    held = ctypes.create_string_buffer(filtered, len(filtered))
    program = _Program(len(filtered) // 8, ctypes.addressof(held))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for words in ((PR_SET_NO_NEW_PRIVS, 1, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))):
        if prctl(*words, 0, 0):
            raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


if __name__ == "__main__":
    try:
        refuse_netlink()
    except OSError as error:
        sys.stderr.write(f"{sys.argv[1]} will hear of networks that come and go: {error}\n")
    os.execvp(sys.argv[1], sys.argv[1:])
