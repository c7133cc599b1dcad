"""One evening of the market, played over HTTP: a client of the API like any other.

    python -m config.evening --graphql http://127.0.0.1:8000/graphql

It publishes, registers, applies, invites, allocates, accepts, declines and starts people, waits for the worker where a
frontend would, and ends with a summary. The status is non-zero if anything went otherwise than it should.
"""
