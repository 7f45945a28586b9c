"""Jobs and batches go only where the tables say."""

import pytest

from chalicelib.core.states import BATCH_TRANSITIONS, JOB_TRANSITIONS, BatchState, JobState, is_terminal, may_become


@pytest.mark.parametrize("state", JobState)
def test_every_job_state_has_its_transitions(state: JobState) -> None:
    assert state not in JOB_TRANSITIONS[state]


@pytest.mark.parametrize("state", BatchState)
def test_every_batch_state_has_its_transitions(state: BatchState) -> None:
    assert state not in BATCH_TRANSITIONS[state]


def test_a_job_runs_to_completion() -> None:
    assert may_become(JobState.PENDING, JobState.RUNNING)
    assert may_become(JobState.RUNNING, JobState.COMPLETED)
    assert not may_become(JobState.COMPLETED, JobState.RUNNING)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.COMPLETED_WITH_FAILURES])
def test_a_redrive_takes_up_what_failed(state: JobState) -> None:
    assert is_terminal(state)
    assert may_become(state, JobState.RUNNING)


def test_a_batch_of_a_dead_worker_is_pending_again() -> None:
    assert may_become(BatchState.RUNNING, BatchState.PENDING)


def test_a_batch_that_succeeded_never_changes() -> None:
    assert not any(may_become(BatchState.SUCCEEDED, state) for state in BatchState)


@pytest.mark.parametrize("state", [JobState.PENDING, JobState.RUNNING, JobState.CANCELLING, BatchState.RUNNING])
def test_states_that_something_will_follow_are_not_terminal(state: JobState | BatchState) -> None:
    assert not is_terminal(state)
