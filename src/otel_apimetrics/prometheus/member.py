"""This process among those of its app: what it has counted itself, told to whoever asks.

Nothing is imported by name that gevent replaces: a process may be patched after this was loaded.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from otel_apimetrics import _guard
from otel_apimetrics.config import ConfigError
from otel_apimetrics.prometheus import merging, wire
from otel_apimetrics.prometheus.asking import LENGTH
from otel_apimetrics.prometheus.families import Family
from otel_apimetrics.prometheus.place import Place
from otel_apimetrics.prometheus.remembered import Remembered

_PAUSE: Final = 1.0
"""Seconds between two looks at whether there is something new, and at least between two writes."""
_SHARE: Final = 0.02
"""Of the time may go into writes that nobody has asked for, where there is a thread."""
_SHARE_INLINE: Final = 0.05
"""The same where requests have to wait for them."""
_AGAIN: Final = 0.01
"""Seconds between two looks at a socket that is closed."""
_GIVEN_UP: Final = 1.0
"""Seconds for whoever asks to take the answer."""


class Member:
    """One process, from its first request or from when the reader was made in it.

    Args:
        place: where the processes meet.
        collect: gives all that this process has, inherited or its own.
        baseline: what it has inherited.
        threaded: it may have a thread, which answers. Without one it writes down what it has at
            the end of requests, and others read that.
    """

    def __init__(
        self,
        place: Place,
        collect: Callable[[], list[Family]],
        baseline: merging.Baseline,
        *,
        threaded: bool,
    ) -> None:
        self.pid: Final = os.getpid()
        self.threaded: Final = threaded
        self.turn: Final = threading.Lock()
        """Held by a scrape of this process."""
        self._place: Final = place
        self._collect: Final = collect
        self._baseline = baseline
        self._lock: Final = threading.Lock()
        self._remembered: Final = Remembered()
        self.collected: list[Family] = []
        """What there was when it was last written down, and below it what was written."""
        self._written: list[Family] = []
        self._told: list[Family] = []
        self._has_written = False
        self._is_stale = False
        self._next = 0.0
        self._listener: socket.socket | None = None
        self.has_ended = False
        self.name = ""
        self._held = -1
        self._appear()
        if threaded:
            threading.Thread(target=self._serve, name="otel-apimetrics-worker", daemon=True).start()

    def note(self) -> None:
        """Note that something was counted."""
        self._is_stale = True
        if not self.threaded:
            self._write_if_due()

    def tell(self) -> bytes:
        """Collect what this process has counted itself, and write it down before it is shown.

        Nothing keeps it from being shown, and what cannot be written down counts for nothing.
        """
        with self._lock:
            return wire.written(self._told) if self.has_ended else self._tell()

    def _tell(self) -> bytes:
        self._is_stale = False
        try:
            return self._collect_and_tell()
        except BaseException:
            self._is_stale = True
            raise

    def _collect_and_tell(self) -> bytes:
        begun = time.monotonic()
        takes_part = self._takes_part()
        found = self._collect()
        collected = merging.completed(found, merging.missing(found, self.collected))
        families = merging.without(collected, self._baseline)
        self._remembered.complete(families)
        data = wire.written(families)
        if takes_part and self._is_written(data):
            self.collected, self._written = collected, families
        else:
            families = merging.as_written(families, self._written)
            data = wire.written(families)
        now = time.monotonic()
        share = _SHARE if self.threaded else _SHARE_INLINE
        pause = _PAUSE if self.threaded else 0.0
        self._next = now + max(pause, (now - begun) / share)
        self._told = families
        return data

    def told(self) -> list[Family]:
        """Give what was told last, and tell again where somebody has taken that."""
        if self._is_lost():
            self.tell()
        return self._told

    def tell_for_parent(self, collected: list[Family]) -> None:
        """Write down, in a child, what its parent had counted and has no thread to tell.

        Args:
            collected: what the child has inherited.
        """
        if not self._place.has(self.name) and self._place.lives(self.name):
            self._place.write(self.name, wire.written(merging.without(collected, self._baseline)))

    def end(self) -> None:
        """Tell for the last time, and answer no more; the process may live on."""
        with self._lock:
            try:
                if not self.has_ended:
                    self._tell()
            finally:
                self.has_ended = True
                self._be_silent()

    def leave(self) -> None:
        """Close what this process has open, or, in a child, what its parent has.

        What it has told stays, as of one that has ended.
        """
        try:
            self._withdraw()
        except OSError as error:
            _guard.swallow("prometheus.worker_leave", error)

    def _is_written(self, data: bytes) -> bool:
        """Write down what is to be told. What cannot be written counts in no scrape.

        It would be lost with this process, and the total would fall.
        """
        try:
            self._place.write(self.name, data)
        except OSError as error:
            _guard.swallow("prometheus.write", error, reveal=True)
            _guard.warn(
                "prometheus.held_back",
                "Scrapes show what process %s had counted before, and no more until it can be"
                " written down: %s",
                self.pid,
                error,
            )
            return False
        self._has_written = True
        return True

    def _takes_part(self) -> bool:
        """Tell whether this process is in the directory, where it may have to appear again."""
        try:
            if self._is_lost():
                self._begin_again()
            if self._held < 0:
                self._appear()
        except (OSError, ConfigError) as error:
            _guard.swallow("prometheus.appear", error, reveal=True)
            _guard.warn(
                "prometheus.lost",
                "Scrapes show nothing that process %s counts until it can be in its directory"
                " again: %s",
                self.pid,
                error,
            )
            return False
        return True

    def _is_lost(self) -> bool:
        """Tell whether somebody has taken our files, or has emptied the directory."""
        return self._held >= 0 and not (
            self._place.has_lock(self.name)
            and (not self._has_written or self._place.has(self.name))
        )

    def _appear(self) -> None:
        self._place.make()
        name = self._place.new_name()
        self._held = self._place.hold(name)
        self.name = name
        if self.threaded:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._listen(self._listener)
            except OSError:
                self._withdraw()
                raise

    def _listen(self, listener: socket.socket) -> None:
        with self._place.address(self.name) as path:
            listener.bind(path)
            self._place.own(path)
        listener.listen(16)
        listener.settimeout(_PAUSE)

    def _begin_again(self) -> None:
        """Give up the name.

        What was told until then is told by whoever has it, or by nobody, and never twice.
        """
        if self._has_written:
            self._baseline = merging.renewed(self._baseline, self.collected)
        self._written = []
        self._has_written = False
        self._withdraw()

    def _withdraw(self) -> None:
        self._be_silent()
        held, self._held = self._held, -1
        if held >= 0:
            self._place.release(self.name, held)

    def _be_silent(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def _write_if_due(self) -> None:
        if time.monotonic() >= self._next:
            try:
                if self._is_stale or self._is_lost():
                    self.tell()
            except Exception as error:
                _guard.swallow("prometheus.tell", error)

    def _serve(self) -> None:
        while not self.has_ended:
            try:
                connection = self._accepted()
                if connection is not None:
                    self._answer(connection)
                self._write_if_due()
            except BaseException as error:  # noqa: PERF203  nobody would answer any more
                if type(error).__name__ == "GreenletExit":
                    raise
                # What the app's own code has let through, such as a timeout of gevent's.
                _guard.swallow("prometheus.worker", error)

    def _accepted(self) -> socket.socket | None:
        listener = self._listener
        try:
            if listener is not None:
                return listener.accept()[0]
        except TimeoutError:
            return None
        except OSError:
            pass
        time.sleep(_AGAIN)  # it is closed: for good, or because another one takes its place
        return None

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(_GIVEN_UP)
                data = self.tell()
                connection.sendall(LENGTH.pack(len(data)) + data)
        except OSError:
            return  # whoever asked has gone, and reads what was written
        except Exception as error:
            _guard.swallow("prometheus.worker_answer", error)
