"""How it was measured: limits, timeouts, versions, host, and the command that runs it again."""

import shlex

import msgspec
from msgspec.structs import asdict

from compose.balancers import balancer_named
from compose.cluster import Limits
from loadtests.report.evidence import Evidence

Fact = tuple[str, str]


class MethodFacts(msgspec.Struct, frozen=True):
    """Sections of facts, each a name and a value."""

    command: str
    provenance: tuple[Fact, ...]
    client: tuple[Fact, ...]
    limits: tuple[Fact, ...]
    """The limits that all architectures share."""
    differing: tuple[tuple[str, str, str], ...]
    """Limits that are not the same everywhere: architecture, limit, value. A fair comparison has none."""
    versions: tuple[Fact, ...]


def method(evidence: Evidence) -> MethodFacts:
    """The facts of a run."""
    provenance = evidence.provenance
    shared, differing = _limits(evidence)
    return MethodFacts(
        command=shlex.join(provenance.command),
        provenance=(
            ("run", provenance.run),
            ("scenario", provenance.scenario),
            ("seed", str(provenance.seed)),
            ("started", provenance.started),
            ("engine", provenance.engine),
            # As many as there were: the lab can compare architectures behind different ones.
            *(("balancer", balancer_named(name).title) for name in provenance.balancers),
            ("load processes", str(provenance.workers)),
            ("Twinshop", provenance.twinshop),
            ("Python", provenance.python),
            ("host", f"{provenance.platform}, {provenance.cpus} CPUs, {provenance.memory_mb:,} MB"),
            ("plan (SHA-256)", provenance.plan_sha256),
        ),
        client=tuple((_plain(name), _value(name, value)) for name, value in asdict(evidence.plan.client).items()),
        limits=shared,
        differing=differing,
        versions=tuple(sorted(_versions(evidence).items())),
    )


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_ms"):
        return f"{value:,} ms"
    if name.endswith("_s"):
        return f"{value:,} s"
    return f"{value:,}" if isinstance(value, int) else str(value) or "none"


def _plain(name: str) -> str:
    return name.removesuffix("_ms").removesuffix("_s").replace("_", " ")


def _limits(evidence: Evidence) -> tuple[tuple[Fact, ...], tuple[tuple[str, str, str], ...]]:
    by_name = {name: story.run.limits for name, story in evidence.stories.items() if story.ready}
    shared: list[Fact] = []
    differing: list[tuple[str, str, str]] = []
    for field in Limits.__struct_fields__:
        values = {name: _value(field, getattr(limits, field)) for name, limits in by_name.items()}
        if len(set(values.values())) == 1:
            shared.append((_plain(field), next(iter(values.values()))))
        else:
            differing.extend((name, _plain(field), value) for name, value in values.items())
    return tuple(shared), tuple(differing)


def _versions(evidence: Evidence) -> dict[str, str]:
    versions = dict(evidence.provenance.packages)
    for story in evidence.stories.values():
        if story.ready is not None:
            versions.update(story.ready.versions)
    return versions
