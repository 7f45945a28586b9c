import json
import re
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.local.processes import free_port
from infra.local.state import forget
from tests.stack.commands import dev, kill, print_logs, processes, start

pytestmark = pytest.mark.stack

KEYS = {
    *("api_url", "api_key", "aws_endpoint_url", "aws_access_key_id", "aws_secret_access_key"),
    *("region", "bucket", "database_url", "mail_dir"),
}
MEMBERS = "first_name,last_name,phone_number,client_member_id,account_id\nAda,Byron,5550000001,1,1\n"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    yield folder
    print_logs(folder)
    dev("down", "--state", folder)
    forget(folder)


@pytest.fixture
def members(tmp_path: Path) -> Path:
    file = tmp_path / "members.csv"
    file.write_text(MEMBERS)
    return file


def up(state: Path, *more: str) -> str:
    done = dev("up", "--detach", "--state", state, "--port", str(free_port()), *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_up_loads_a_sample_and_says_where_everything_is(state: Path) -> None:
    said = up(state)
    local = json.loads((state / "local.json").read_text())
    assert set(local) == KEYS
    assert stat.S_IMODE((state / "local.json").stat().st_mode) == 0o600
    assert re.search(r"COMPLETED_WITH_FAILURES: 10,000 records: 9,\d{3} inserted", said)
    assert f"'{local['database_url']}'" in said
    assert re.search(r"Rejected  s3://\S+/error/members/job=\S+/rejected\.csv", said)
    (mail,) = Path(local["mail_dir"]).glob("*.eml")
    assert str(mail) in said
    assert f"aws --endpoint-url {local['aws_endpoint_url']} s3 cp" in said
    assert f"{local['api_url']}/v1/jobs" in said

    again = dev("up", "--state", state)
    assert (again.returncode, again.stderr) == (0, "")
    assert f"running already: {local['api_url']}" in again.stdout

    fresh = dev("up", "--fresh", "--state", state)
    assert fresh.returncode == 1
    assert "dev.py down" in fresh.stderr


def test_down_stops_everything_and_keeps_the_state(state: Path, members: Path) -> None:
    said = up(state, "--no-sample")
    assert Path(said.split("dev.py load ")[1].split()[0]).is_file()
    assert dev("load", members, "--dataset", "members", "--state", state).returncode == 0
    pids = processes(state)
    assert set(pids) == {"supervisor", "postgres", "emulator", "api"}
    assert dev("down", "--state", state).returncode == 0
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert not (state / "local.json").exists()
    assert "no stack is running" in dev("down", "--state", state).stdout

    up(state, "--no-sample")
    again = dev("load", members, "--dataset", "members", "--state", state)
    assert again.returncode == 0
    assert "the same file was loaded before" in again.stdout


def test_fresh_forgets(state: Path, members: Path) -> None:
    up(state, "--no-sample")
    assert dev("load", members, "--dataset", "members", "--state", state).returncode == 0
    dev("down", "--state", state)
    up(state, "--no-sample", "--fresh")
    again = dev("load", members, "--dataset", "members", "--state", state)
    assert "1 inserted" in again.stdout, again.stdout + again.stderr


def test_up_recovers_what_was_killed(state: Path, members: Path) -> None:
    up(state, "--no-sample")
    assert dev("load", members, "--dataset", "members", "--state", state).returncode == 0
    kill(*processes(state).values())
    up(state, "--no-sample")
    again = dev("load", members, "--dataset", "members", "--state", state)
    assert "the same file was loaded before" in again.stdout, again.stdout + again.stderr


def test_up_stops_the_orphans_of_a_killed_supervisor(state: Path) -> None:
    up(state, "--no-sample")
    earlier = processes(state)
    kill(earlier.pop("supervisor"))
    assert all(psutil.pid_exists(pid) for pid in earlier.values())
    up(state, "--no-sample")
    assert not any(psutil.pid_exists(pid) for pid in earlier.values())


def test_a_port_in_use_is_named_with_a_way_out(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = dev("up", "--detach", "--state", state, "--port", str(port))
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr


def test_a_child_that_dies_is_named_with_its_log_and_stops_the_rest(state: Path) -> None:
    foreground = start("up", "--state", state, "--port", str(free_port()), "--no-sample")
    assert foreground.stdout is not None
    next(line for line in foreground.stdout if "Ready" in line)
    pids = processes(state)
    kill(pids["emulator"])
    said = foreground.stdout.read()
    foreground.stdout.close()
    assert foreground.wait(60) == 1
    assert "emulator ended with code -9" in said
    assert "emulator.log" in said
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_in_order(state: Path, how: signal.Signals) -> None:
    foreground = start("up", "--state", state, "--port", str(free_port()), "--no-sample")
    assert foreground.stdout is not None
    next(line for line in foreground.stdout if "Ready" in line)
    pids = processes(state)
    foreground.send_signal(how)
    said = foreground.stdout.read()
    foreground.stdout.close()
    assert foreground.wait(60) == 0
    assert "the state stays" in said
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert "database system is shut down" in (state / "log" / "postgres.log").read_text()
