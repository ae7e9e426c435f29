"""PySyncObj, imported without its side effect: on every system it puts a function into `socket` that only Windows has.

Whoever needs something of PySyncObj takes it from here, so that nothing else in the process ever meets that function.
"""

import socket

_inet_ntop = socket.inet_ntop
try:
    from pysyncobj import FAIL_REASON, SyncObj, SyncObjConf, SyncObjConsumer, SyncObjException, replicated
    from pysyncobj.tcp_connection import CONNECTION_STATE
    from pysyncobj.transport import TCPTransport
    from pysyncobj.utility import TcpUtility, UtilityException
finally:
    socket.inet_ntop = _inet_ntop

__all__ = [
    "CONNECTION_STATE",
    "FAIL_REASON",
    "SyncObj",
    "SyncObjConf",
    "SyncObjConsumer",
    "SyncObjException",
    "TCPTransport",
    "TcpUtility",
    "UtilityException",
    "replicated",
]
