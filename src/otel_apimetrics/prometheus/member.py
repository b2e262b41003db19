"""This process among those of its app: what it has counted itself, told to whoever asks.

Nothing is imported by name that gevent replaces: a process may be patched after this was loaded.
"""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from otel_apimetrics import _guard
from otel_apimetrics.prometheus import merging, wire
from otel_apimetrics.prometheus.families import Exemplar, Family
from otel_apimetrics.prometheus.place import Place

LENGTH: Final = struct.Struct("!Q")
"""Before an answer. The end of a connection says nothing: a child that is forked meanwhile has
the connection too."""
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
        self._gauges: dict[Any, tuple[float, float]] = {}
        self._exemplars: dict[Any, tuple[Exemplar, ...]] = {}
        self._collected: list[Family] = []
        """What there was when it was last written down, and below it what was written."""
        self._written: list[Family] = []
        self._told: list[Family] = []
        self._has_written = False
        self._is_stale = False
        self._next = 0.0
        self._listener: socket.socket | None = None
        self._ended = False
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

    def tell(self) -> tuple[list[Family], bytes]:
        """Collect what this process has counted itself, and write it down before it is shown."""
        with self._lock:
            begun = time.monotonic()
            self._is_stale = False
            if self._has_written and not self._place.has(self.name):
                self._begin_again()
            if self._held < 0:
                self._appear()
            collected = self._collect()
            families = merging.without(collected, self._baseline)
            self._date(families)
            self._keep_exemplars(families)
            data = wire.written(families)
            if self._is_written(data):
                self._collected, self._written = collected, families
            else:
                families = merging.as_written(families, self._written)
                data = wire.written(families)
            now = time.monotonic()
            share = _SHARE if self.threaded else _SHARE_INLINE
            pause = _PAUSE if self.threaded else 0.0
            self._next = now + max(pause, (now - begun) / share)
            self._told = families
            return families, data

    def told(self) -> list[Family]:
        """Give what was told last, and tell again where somebody has taken that."""
        if self._has_written and not self._place.has(self.name):
            self.tell()
        return self._told

    def tell_for_parent(self, collected: list[Family]) -> None:
        """Write down, in a child, what its parent had counted and has no thread to tell.

        Args:
            collected: what the child has, before it has counted anything.
        """
        if not self._place.has(self.name) and self._place.lives(self.name):
            self._place.write(self.name, wire.written(merging.without(collected, self._baseline)))

    def end(self) -> None:
        """Tell for the last time, and answer no more; the process may live on."""
        if not self._ended:
            self._ended = True
            self.tell()
            if self._listener is not None:
                self._listener.close()

    def leave_to_parent(self) -> None:
        """Close, in a child, what its parent has open."""
        try:
            self._withdraw()
        except OSError as error:
            _guard.swallow("prometheus.inherited", error)

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

    def _appear(self) -> None:
        self._place.make()
        self.name = self._place.new_name()
        self._held = self._place.hold(self.name)
        if self.threaded:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            with self._place.address(self.name) as path:
                listener.bind(path)
                self._place.own(path)
            listener.listen(16)
            listener.settimeout(_PAUSE)
            self._listener = listener

    def _begin_again(self) -> None:
        """Give up the name: somebody has taken what we told, or has emptied the directory.

        What was told until then is told by whoever has it, or by nobody, and never twice.
        """
        self._baseline = merging.baseline_of(self._collected)
        self._written = []
        self._has_written = False
        self._withdraw()

    def _withdraw(self) -> None:
        listener, self._listener = self._listener, None
        held, self._held = self._held, -1
        if listener is not None:
            listener.close()
        if held >= 0:
            os.close(held)

    def _date(self, families: list[Family]) -> None:
        """Note since when gauges have had their values, to the second or so."""
        now = time.time()
        before, self._gauges = self._gauges, {}
        for family in families:
            if "mostrecent" in family.mode:
                for at, series in enumerate(family.series):
                    key = family.name, series.scope, series.labels
                    value, since = before.get(key, (None, now))
                    since = since if value == series.value else now
                    self._gauges[key] = series.value, since
                    family.series[at] = replace(series, created=since)

    def _keep_exemplars(self, families: list[Family]) -> None:
        """Have each series keep its exemplars: the SDK gives them to one collection alone."""
        kept = self._exemplars
        for family in families:
            for at, series in enumerate(family.series):
                if not kept and not series.exemplars:
                    continue
                key = family.name, series.scope, series.labels
                before = kept.get(key, ())
                if series.exemplars:
                    kept[key] = merging.newest((*before, *series.exemplars), series.bounds)
                if before:
                    family.series[at] = replace(series, exemplars=kept[key])

    def _write_if_due(self) -> None:
        if self._is_stale and time.monotonic() >= self._next:
            try:
                self.tell()
            except Exception as error:
                _guard.swallow("prometheus.tell", error)

    def _serve(self) -> None:
        while not self._ended:
            connection = self._accepted()
            if connection is not None:
                self._answer(connection)
            self._write_if_due()

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
                _, data = self.tell()
                connection.sendall(LENGTH.pack(len(data)) + data)
        except OSError:
            return  # whoever asked has gone, and reads what was written
        except Exception as error:
            _guard.swallow("prometheus.worker_answer", error)
