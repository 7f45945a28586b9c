"""The model of docs/scaling.md keeps its books, and is nowhere faster than what it is made of."""

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scaling.__main__ import DOCS, main
from benchmarks.scaling.bounds import batch_seconds, bounds, seconds
from benchmarks.scaling.clock import Clock, Cores, Process, speed
from benchmarks.scaling.inputs import INPUTS, Inputs, Policy, Size, read_figures
from benchmarks.scaling.report import checked
from benchmarks.scaling.simulation import RETRIES, Outcome, Run, simulate, tail_seconds
from chalicelib.config import Settings
from chalicelib.core.cut import MAX_LINES

FIGURES = read_figures()
SMALL = replace(FIGURES.inputs, rows=3_000_000, batch_bytes=1 << 20)

POLICIES = st.sampled_from(list(FIGURES.policies.values()))
SIZES = st.sampled_from(FIGURES.sizes)
WORKERS = st.sampled_from([1, 2, 3, 7, 16, 50, 200])
INPUTS_OF_ALL_KINDS = st.builds(
    lambda rows, batch, spread, contention: replace(
        SMALL, rows=rows, batch_bytes=batch, s3_spread=spread, contention=contention
    ),
    st.integers(1, 2_000_000),
    st.sampled_from([1 << 16, 1 << 20, 1 << 24]),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([0.0, 0.02]),
)


@settings(deadline=None, max_examples=60)
@given(INPUTS_OF_ALL_KINDS, POLICIES, SIZES, WORKERS, st.booleans(), st.booleans())
def test_every_batch_is_loaded_once_and_no_stage_is_passed_faster_than_it_goes(
    inputs: Inputs, policy: Policy, size: Size, workers: int, pooled: bool, one_machine: bool
) -> None:
    outcome = simulate(Run(inputs, policy, size, workers, pooled=pooled, one_machine=one_machine))
    batches = math.ceil(inputs.rows / inputs.batch_rows)
    assert sorted(outcome.loaded) == list(range(1, batches + 1))
    assert outcome.rows == inputs.rows
    assert not outcome.failed
    assert outcome.most_at_once <= min(workers, batches)
    assert outcome.seconds == pytest.approx(outcome.loading_s + outcome.tail_s)
    assert all(share <= 1 + 1e-9 for share in outcome.busy.values()), outcome.busy
    if not one_machine:
        best = replace(inputs, s3_spread=0.0, crowding=0.0)
        stages = bounds(best, policy, size, workers).stages
        stages["loaders"] = workers * inputs.batch_rows / batch_seconds(best, policy, size)  # without others' claims
        assert outcome.rate <= min(stages.values()) * (1 + 1e-9)


@pytest.mark.parametrize("policy", FIGURES.policies.values(), ids=lambda policy: policy.name)
def test_one_worker_takes_the_sum_of_the_parts(policy: Policy) -> None:
    inputs = replace(SMALL, s3_spread=0.0, rows=20 * SMALL.batch_rows)
    size = replace(FIGURES.sizes[1], disk_mb_s=1e9)
    mb = inputs.batch_rows * inputs.row_bytes / 1e6
    first = inputs.cold_start_s + mb / inputs.s3_mb_s + mb / inputs.cut_mb_s / inputs.split_share + inputs.send_s
    loading = first + inputs.cold_start_s + 20 * batch_seconds(inputs, policy, size)
    outcome = simulate(Run(inputs, policy, size, 1))
    assert outcome.loading_s == pytest.approx(loading)
    assert outcome.seconds == pytest.approx(loading + tail_seconds(inputs, policy, inputs.rows))


@pytest.mark.parametrize("workers", [1, 8, 64])
def test_more_cores_are_never_slower(workers: int) -> None:
    inputs = replace(SMALL, s3_spread=0.0)
    sizes = [replace(FIGURES.sizes[0], vcpu=vcpu, disk_mb_s=500.0) for vcpu in (1, 2, 4, 8, 16, 32, 64)]
    times = [simulate(Run(inputs, FIGURES.policies["reject"], size, workers)).seconds for size in sizes]
    assert all(later <= earlier * 1.001 for earlier, later in pairwise(times)), times


def test_the_same_run_has_the_same_outcome_and_another_seed_another_one() -> None:
    def at(seed: int) -> Outcome:
        return simulate(Run(SMALL, FIGURES.policies["reject"], FIGURES.sizes[2], 8, seed=seed))

    assert at(1) == at(1)
    assert at(1).seconds != at(2).seconds


@pytest.mark.parametrize("policy", FIGURES.policies.values(), ids=lambda policy: policy.name)
@pytest.mark.parametrize("workers", [1, 4, 16, 64])
def test_the_formula_is_near_the_simulation(policy: Policy, workers: int) -> None:
    for size in FIGURES.sizes:
        simulated = simulate(Run(FIGURES.inputs, policy, size, workers)).seconds
        assert seconds(FIGURES.inputs, policy, size, workers) == pytest.approx(simulated, rel=0.2)


@pytest.mark.parametrize("workers", FIGURES.check["seconds"])
def test_the_model_of_a_machine_is_near_its_fastest_run(workers: str) -> None:
    fastest = min(FIGURES.check["seconds"][workers])
    assert checked(FIGURES, int(workers)).seconds == pytest.approx(fastest, rel=0.2)


def test_workers_without_a_connection_give_their_batches_back() -> None:
    inputs = replace(SMALL, connections=2)
    run = Run(inputs, FIGURES.policies["reject"], FIGURES.sizes[1], 10)
    alone, pooled = simulate(run), simulate(replace(run, pooled=True))
    batches = math.ceil(inputs.rows / inputs.batch_rows)
    assert alone.refused > 0
    assert sorted(alone.loaded + alone.failed) == list(range(1, batches + 1))
    assert alone.seconds > RETRIES[0] > pooled.seconds
    assert pooled.refused == 0
    assert len(pooled.loaded) == batches


def test_work_shares_the_cores_alike() -> None:
    clock = Clock()
    cores = Cores(clock, 2)
    ends: dict[str, float] = {}

    def work(name: str, start: float, seconds: float) -> Process:
        yield clock.sleep(start)
        yield cores.work(seconds)
        ends[name] = clock.now

    for name, start, length in (("a", 0, 4.0), ("b", 0, 4.0), ("c", 2, 1.0)):
        clock.start(work(name, start, length))
    clock.run()
    assert ends == pytest.approx({"c": 3.5, "a": 4.5, "b": 4.5})  # three on two cores from 2.0 to 3.5


@given(st.integers(1, 1000), st.integers(1, 64), st.floats(0, 0.1), st.floats(0, 0.1))
def test_cores_give_no_more_than_they_have(working: int, count: int, contention: float, crowding: float) -> None:
    found = speed(working, count, contention, crowding)
    assert 0 < found <= min(working, count)
    assert found <= speed(working, count + 1, contention, crowding) * (1 + 1e-9)


def test_a_figure_must_say_where_it_is_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(INPUTS.read_text())
    document["figures"]["parse_mb_s"]["from"] = ""
    file = tmp_path / "inputs.json"
    file.write_text(json.dumps(document))
    assert main(["--inputs", str(file), "--out", str(tmp_path / "docs")]) == 2
    assert "parse_mb_s" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()


def test_the_page_shows_the_figures_that_it_was_made_from() -> None:
    page = (DOCS / "scaling.md").read_text()
    for name, value, source in FIGURES.sources:
        assert f"| {name} | {value:,.10g} | {source} |" in page, "run python -m benchmarks.scaling"


def test_what_the_code_sets_is_what_the_model_is_fed_with() -> None:
    functions = json.loads((DOCS.parent / ".chalice/config.json").read_text())["stages"]["prod"]["lambda_functions"]
    assert FIGURES.inputs.load_memory_mb == functions["load"]["lambda_memory_size"]
    assert FIGURES.inputs.split_memory_mb == functions["split"]["lambda_memory_size"]
    assert FIGURES.inputs.batch_bytes == Settings.batch_bytes
    assert FIGURES.inputs.most_lines == MAX_LINES
