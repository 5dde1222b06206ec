"""Listening: a socket taken early, uvicorn on it, and a prompt, clean end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from backend.deadline import DeadlineProtocol
from backend.realtime.protocol import PreparedProtocol
from domain import errors

_LAST_SECONDS = 2


class Server(uvicorn.Server):
    """uvicorn without its own signal handlers: it would end the process before the engines are stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises: PortTakenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen(2048)
        taken.setblocking(False)
    except OSError as fault:
        taken.close()
        if fault.errno == errno.EADDRINUSE:
            raise errors.PortTakenError(
                f"Port {port} is taken by another program.",
                where=f"{host}:{port}",
                hint="Stop that program, or choose another port with JORGE_SERVER_PORT.",
            ) from fault
        raise errors.StartError(
            f"Can't listen on {host}:{port}: {fault.strerror}.",
            where="JORGE_SERVER_HOST",
            hint="127.0.0.1 always works; ports below 1024 need rights.",
        ) from fault
    return taken


async def serve(app: FastAPI, listening: socket.socket, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; open requests get two seconds to end."""
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            http=DeadlineProtocol,
            ws=PreparedProtocol,
            ws_max_size=65_536,
            ws_per_message_deflate=False,  # PreparedProtocol has its own, without memory between messages
            timeout_graceful_shutdown=_LAST_SECONDS,
            lifespan="on",
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await serving
