"""``python -m bench`` says what there is to measure."""

USAGE = """\
Measure a running installation; `docs/benchmarks.md` tells what the figures mean.

  python -m bench.start_latency          from the click to the training process, and to its metrics
  python -m bench.seed [--remove]        10,000 runs in one project, or away with them
  python -m bench.operations             every operation of the API, slowest first
  python -m bench.live_fanout            news to very many sockets, on throw-away databases

All but the last measure the stack that `make run` keeps up in this checkout, with an account of
their own that is deactivated at the end. For another one set:

  RUNYARD_URL, RUNYARD_API_KEY           where it is, and a key to call it with
  RUNYARD_EMAIL, RUNYARD_PASSWORD        an administrator, for the operations no key may do

`bench.seed` writes to the database itself and so wants DATABASE_URL in place of these.
"""

if __name__ == "__main__":
    print(USAGE, end="")
