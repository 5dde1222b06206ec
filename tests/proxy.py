"""A TCP proxy on loopback that a test can cut: the network between the app and its server."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Proxy:
    """`async with Proxy("127.0.0.1", port) as net:` and let the app talk to `net.url`.

    `cut()` drops what is open and refuses what comes; `heal()` lets it through again; `drop()` only drops;
    `stall()` keeps connections open and silent (a dead spot), until `heal()`. `lead_to()` puts another server behind it.
    `cut_next()` ends the next connection after an exact number of bytes; `slow_up`, `slow_down`: a bad line's bytes a second.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._is_cut = False
        self._next_cut: tuple[int | None, int | None] = (None, None)
        self.slow_up: float | None = None
        self._line_free_at = 0.0
        self.slow_down: float | None = None
        self.port = 0
        self.connections = 0
        self.bytes_up = 0
        self.bytes_down = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Proxy:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._flowing.set()
        self.drop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """No network: open connections end, new ones are refused at once."""
        self._is_cut = True
        self.drop()

    def cut_next(self, *, up: int | None = None, down: int | None = None) -> None:
        """The next connection passes exactly `up` bytes to the server, or `down` bytes to the app, and ends."""
        self._next_cut = up, down

    def heal(self) -> None:
        self._is_cut = False
        self._flowing.set()

    def stall(self) -> None:
        self._flowing.clear()

    def lead_to(self, host: str, port: int) -> None:
        """From now on another server answers; what is open ends."""
        self._target = (host, port)
        self.drop()

    def drop(self) -> None:
        """Resets every open connection, as a change of network does."""
        for writer in tuple(self._open):
            transport = writer.transport
            transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._join(reader, writer)
        finally:
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        (most_up, most_down), self._next_cut = self._next_cut, (None, None)
        pumps = [
            asyncio.ensure_future(self._pump(reader, far_writer, most_up, up=True)),
            asyncio.ensure_future(self._pump(far_reader, writer, most_down, up=False)),
        ]
        try:
            await asyncio.gather(*pumps)
        except _CutError:
            for pump in pumps:
                pump.cancel()
        finally:
            self._open -= {writer, far_writer}
            for end in (writer, far_writer):
                end.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int | None, *, up: bool
    ) -> None:
        with suppress(OSError):
            while most != 0 and (chunk := await source.read(self._at_once(most, up=up))):
                await self._flowing.wait()
                sink.write(chunk)
                await sink.drain()
                self.bytes_up += len(chunk) if up else 0
                self.bytes_down += 0 if up else len(chunk)
                most = None if most is None else most - len(chunk)
                if rate := self.slow_up if up else self.slow_down:
                    await self._share_the_line(len(chunk), rate)
            if most != 0 and sink.can_write_eof():
                sink.write_eof()
                return
        sink.close()  # what was let through arrives
        with suppress(OSError):
            await sink.wait_closed()
        raise _CutError

    async def _share_the_line(self, size: int, bytes_per_second: float) -> None:
        """All connections together have so many bytes a second, and take turns."""
        now = asyncio.get_running_loop().time()
        self._line_free_at = max(now, self._line_free_at) + size / bytes_per_second
        await asyncio.sleep(self._line_free_at - now)

    def _at_once(self, most: int | None, *, up: bool) -> int:
        size = 65_536 if most is None else most
        rate = self.slow_up if up else self.slow_down
        return min(size, max(1, int(rate / 10))) if rate else size


class _CutError(Exception):
    """The line ends here."""
