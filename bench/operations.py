"""``python -m bench.operations``: every operation of the served API description, slowest first."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from bench.figures import milliseconds, percentile
from bench.target import target
from bench.visits import Visit, visits_to
from bench.world import World

PREFIX = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
BAR_READING = 0.050
BAR_WRITING = 0.200
NO_KEY_MAY = ("GET /accounts", "GET /api-keys")


@dataclass(frozen=True)
class Measured:
    """One way to call one operation, and how long its calls took."""

    operation: str
    visit: Visit
    seconds: list[float]

    @property
    def p95(self) -> float:
        return percentile(self.seconds, 95)

    @property
    def bar(self) -> float | None:
        if self.visit.excuse:
            return None
        return BAR_READING if self.operation.startswith("GET") else BAR_WRITING

    @property
    def is_kept(self) -> bool:
        return self.bar is None or self.p95 < self.bar

    def __str__(self) -> str:
        name = f"{self.operation}  {self.visit.note}".strip()
        p50, p95 = (milliseconds(percentile(self.seconds, percent)) for percent in (50, 95))
        judged = self.visit.excuse or ("" if self.is_kept else "MISSED")
        return f"  {name:62} {len(self.seconds):3} {p50:>10} {p95:>10}  {judged}".rstrip()


def main() -> int:
    with target() as installation:
        world = World(installation)
        measured: list[Measured] = []
        left_out: list[str] = []
        unknown: list[str] = []
        for operation in _operations(world):
            visits = visits_to(operation)
            if not visits:
                unknown.append(operation)
            elif not installation.is_signed_in and _needs_person(operation, visits[0]):
                left_out.append(operation)
            else:
                measured += [_measure(world, operation, visit) for visit in visits]
        world.settle()
    measured.sort(key=lambda each: each.p95, reverse=True)
    print(f"  {'operation':62} {'n':>3} {'p50':>10} {'p95':>10}")
    print("\n".join(map(str, measured)))
    for operation in left_out:
        print(f"  {operation}: left out, no key may do it")
    for operation in unknown:
        print(f"  {operation}: NOT MEASURED, bench/visits.py holds no input for it")
    missed = [each for each in measured if not each.is_kept]
    print(f"{len({each.operation for each in measured})} operations, {len(missed)} over their bar")
    return 1 if missed or unknown else 0


def _operations(world: World) -> Iterator[str]:
    document = world.connection.get(f"{PREFIX}/openapi.json")
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path.removeprefix(PREFIX)}"


def _needs_person(operation: str, visit: Visit) -> bool:
    return visit.needs_person or operation in NO_KEY_MAY


def _measure(world: World, operation: str, visit: Visit) -> Measured:
    method, _, template = operation.partition(" ")
    seconds = []
    for call in range(visit.calls + 1):
        request = visit.prepare(world)
        path = template.format(**{**world.ids, **request.ids})
        answer = world.connection.ask(
            method,
            f"{path}?{request.query}" if request.query else path,
            request.body,
            headers=request.headers,
            wanted=visit.answers,
        )
        if call:  # the first one warms up
            seconds.append(answer.seconds)
    return Measured(operation, visit, seconds)


if __name__ == "__main__":
    sys.exit(main())
