"""A process that runs for long: threads, clocks, backends, many callers (cases 26, 33 to 35)."""

from __future__ import annotations

from tests.frameworks.cases.row import ABSENT, Record, Request, Row

_LATE = {"apimetrics.consumer.id": ABSENT, "apimetrics.label.late": ABSENT}

ROWS = (
    Row(
        case=26,
        name="a-consumer-said-in-another-thread",
        requests=(Request(target="/caller/acme"),),
        records=(Record(attributes={"apimetrics.consumer.id": "acme"}),),
    ),
    Row(
        case=26,
        name="work-after-the-response",
        requests=(Request(target="/after"),),
        records=(Record(attributes=_LATE),),
    ),
    Row(
        case=33,
        name="a-clock-that-is-set-back",
        requests=(Request(target="/clock"),),
    ),
    Row(
        case=34,
        name="a-backend-that-is-down",
        requests=(Request(target="/items/34"),),
        records=(Record(attributes={"apimetrics.consumer.id": "owner-34"}),),
    ),
    Row(
        case=35,
        name="a-consumer-nobody-has-seen",
        requests=(Request(headers=(("X-Client", "one-of-very-many"),)),),
        records=(Record(attributes={"apimetrics.consumer.id": "one-of-very-many"}),),
    ),
)
