"""What both protocols are to the exporter."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from time import monotonic

from otel_apimetrics.exchange import Exchange
from otel_apimetrics.exporters.apitally.lane import Lane
from otel_apimetrics.exporters.apitally.log_capture import LogLine
from otel_apimetrics.exporters.apitally.masks import Marks, Masks
from otel_apimetrics.exporters.apitally.options import Options
from otel_apimetrics.exporters.apitally.selection import Selection
from otel_apimetrics.exporters.apitally.startup import AppStartup
from otel_apimetrics.exporters.patience import Patience


class Protocol(ABC):
    """The state of one process: what waits, and the threads that send it."""

    @property
    @abstractmethod
    def lanes(self) -> Sequence[Lane]:
        """Give all lanes, the heartbeat's first."""

    @abstractmethod
    def started(self, startup: AppStartup) -> None:
        """Take what is known of the app now. Must not block."""

    @abstractmethod
    def take(self, exchange: Exchange, lines: Sequence[LogLine] = ()) -> bool:
        """Count an exchange, and translate it where it becomes a request log. May raise.

        Args:
            exchange: redacted.
            lines: what the app has logged for it, redacted.

        Returns:
            False where it was left out because the vendor does not want it, which is counted.
        """

    @abstractmethod
    def give_up(self) -> None:
        """Count what no lane has taken to send: the process ends."""

    @abstractmethod
    def closed(self) -> None:
        """Give back what the process holds."""

    def tend(self, patience: Patience) -> None:
        """Start the threads; where none run, send here what is due."""
        for lane in self.lanes:
            lane.tend(patience)

    def hurry(self) -> None:
        """Send everything soon. Does not block."""
        for lane in self.lanes:
            lane.hurry()

    def flush(self, patience: Patience) -> bool:
        """Send everything now; False where the vendor has not all of it."""
        tickets = [(lane, lane.hurry()) for lane in self.lanes]
        sent = [lane.wait(ticket, patience) for lane, ticket in tickets]
        return all(sent)

    def close(self, seconds: float) -> None:
        """Send what is left, all lanes at once, within `seconds` in all."""
        deadline = monotonic() + seconds
        for lane in self.lanes:
            lane.begin_close(deadline)
        for lane in self.lanes:
            lane.close(deadline)
        self.give_up()
        self.closed()


def masks_of(options: Options, marks: Marks) -> Masks:
    """Make the masks that the options ask for."""
    return Masks(
        marks,
        query=options.mask_query_params,
        headers=options.mask_headers,
        fields=options.mask_body_fields,
        request_body=options.mask_request_body,
        response_body=options.mask_response_body,
    )


def selection_of(options: Options) -> Selection:
    """Make the choice of request logs that the options ask for."""
    return Selection(options.exclude_paths, options.exclude, options.sample_rate)
