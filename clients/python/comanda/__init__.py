"""A client of the wire protocol `comanda/1` for Python 3.11 and later, without dependencies. See README.md."""

from pkgutil import extend_path

# protoc puts the code of the project's schemas into packages below this name (`comanda.v1`), in a folder of the
# program's: they are found there.
__path__ = extend_path(__path__, __name__)

from .client import Call, Client, Reply
from .connection import Limits, Result
from .errors import CallEnded, CallError, Code, ComandaError, Fields
from .session import tls_context

__all__ = [
    "Call", "CallEnded", "CallError", "Client", "Code", "ComandaError", "Fields", "Limits", "Reply", "Result",
    "tls_context",
]  # fmt: skip
