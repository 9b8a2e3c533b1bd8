"""Asks the API through the client that was generated from its description, and tells what came.

Arguments: the address of the API and a key.
"""

import json
import sys

from openride_analytics_client import AuthenticatedClient
from openride_analytics_client.api.definitions import get_definition
from openride_analytics_client.api.keys import list_keys
from openride_analytics_client.api.metrics import get_booking_metrics, list_top_drivers
from openride_analytics_client.models import AnswerBookings, Definition, Granularity, Problem

address, key = sys.argv[1:]
client = AuthenticatedClient(
    base_url=address, token=key, prefix="", auth_header_name="X-API-Key"
)

bookings = get_booking_metrics.sync(
    client=client,
    start_date="2024-01-01",
    end_date="2024-01-31T23:59:59+01:00",
    tz="Europe/London",
    state="Lagos",
    include_time_series=True,
    granularity=Granularity.WEEKLY,
)
assert isinstance(bookings, AnswerBookings), bookings
assert bookings.conversion_rate is None, bookings
assert len(bookings.time_series) == 5, bookings

definition = get_definition.sync("conversion_rate", client=client)
assert isinstance(definition, Definition), definition

out_of_range = list_top_drivers.sync_detailed(client=client, limit=1001)
assert isinstance(out_of_range.parsed, Problem), out_of_range
assert out_of_range.status_code == out_of_range.parsed.status == 422, out_of_range
assert out_of_range.parsed.code == "parameter_out_of_range", out_of_range
assert out_of_range.parsed.parameter == "limit", out_of_range

forbidden = list_keys.sync(client=client)
assert isinstance(forbidden, Problem), forbidden
assert forbidden.code == "forbidden", forbidden

json.dump(
    {"bookings": bookings.to_dict(), "definition": definition.to_dict()}, sys.stdout
)
