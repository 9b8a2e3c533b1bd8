"""Texts of the formats that the description names and JSON Schema does not know, and checks of our own."""

import datetime
import os

import schemathesis
from hypothesis import strategies


def moments():
    days = strategies.dates(min_value=datetime.date(1, 1, 1))
    times = strategies.datetimes(min_value=datetime.datetime(1, 1, 1))
    offsets = strategies.sampled_from(["", "Z", "+01:00", "-0330", "+05"])
    instants = strategies.builds(
        lambda time, offset: time.isoformat(timespec="milliseconds") + offset,
        times,
        offsets,
    )
    return strategies.one_of(days.map(datetime.date.isoformat), instants)


ZONES = ["Africa/Lagos", "UTC", "Europe/London", "America/St_Johns", "Pacific/Apia"]
SPANS = strategies.builds("{}{}".format, strategies.integers(1, 90), strategies.sampled_from("smhd"))
CURSORS = strategies.builds(
    "{}.{}.{}.openride.events.booking".format,
    strategies.integers(1_600_000_000_000, 1_800_000_000_000),
    strategies.integers(0, 2**31 - 1),
    strategies.integers(0, 2**62),
)

schemathesis.openapi.format("iso8601", moments())
schemathesis.openapi.format("iana-time-zone", strategies.sampled_from(ZONES))
schemathesis.openapi.format("time-span", SPANS)
schemathesis.openapi.format("cursor", CURSORS)
# one that is the next of a list, and others that could be
EVENT_CURSORS = strategies.one_of(
    strategies.just(os.environ["CURSOR"]),
    strategies.builds("{}~{}".format, CURSORS, strategies.uuids()),
)
schemathesis.openapi.format("event-cursor", EVENT_CURSORS)
# no schema says which texts were signed
schemathesis.openapi.format("cell", strategies.just(os.environ["CELL"]))


@schemathesis.check
def the_code_of_a_problem_is_described(context, response, case):
    """A status says only what kind of problem there may be; its codes are described too."""
    if response.headers.get("content-type", [""])[0] != "application/problem+json":
        return
    responses = case.operation.definition.raw["responses"]
    described = responses.get(str(response.status_code))
    if described is None:
        return  # another check tells of that
    code = response.json()["code"]
    assert code in described["x-codes"], f"{code} is not among {described['x-codes']}"
