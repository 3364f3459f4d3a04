"""One Tidegate a data folder: found while it lives, refused to a second, forgotten when it dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api import running
from api.running import Claim, NotRunning, Running
from streams.errors import SettingsError, TidegateError

HOLDER = """
import sys, time
from pathlib import Path
from api.running import Claim, Running
with Claim(Path(sys.argv[1])) as claim:
    claim.announce(Running(kind="up", pid=1, api="a", bootstrap_servers="b", topic_prefix="", started="s"))
    print("held", flush=True)
    time.sleep(60)
"""


def test_what_runs_is_found_as_it_was_announced(tmp_path: Path) -> None:
    ours = Running(kind="up", pid=os.getpid(), api="http://a", bootstrap_servers="b:1", topic_prefix="p", started="s")
    with Claim(tmp_path / "data") as claim:
        assert running.find(tmp_path / "data") is None, "it isn't ready yet"
        claim.announce(ours)
        assert running.find(tmp_path / "data") == ours
    assert running.find(tmp_path / "data") is None


def test_a_second_one_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    with Claim(tmp_path):
        with pytest.raises(TidegateError, match=rf"another Tidegate \(pid {os.getpid()}\) runs on .*TIDEGATE_DATA"):
            Claim(tmp_path).__enter__()
        with pytest.raises(TidegateError, match="another Tidegate"):  # the refusal has broken nothing
            Claim(tmp_path).__enter__()
    with Claim(tmp_path):
        pass


def test_what_was_killed_is_not_found_and_stands_in_nobodys_way(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    assert running.find(tmp_path) is not None
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()

    assert (tmp_path / "run.json").exists()
    assert running.find(tmp_path) is None
    with Claim(tmp_path):
        assert running.find(tmp_path) is None


def test_looking_does_not_hinder_a_start(tmp_path: Path) -> None:
    with Claim(tmp_path):
        pass
    running.find(tmp_path)

    with Claim(tmp_path):
        pass


def test_a_damaged_announcement_counts_as_none(tmp_path: Path) -> None:
    with Claim(tmp_path):
        for text in ("", "{", "[]", '{"pid": 1}'):
            (tmp_path / "run.json").write_text(text)
            assert running.find(tmp_path) is None


def test_a_folder_where_nothing_runs_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match=r"no Tidegate runs on .*nowhere; start one with `tidegate up`"):
        running.need(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match=r"TIDEGATE_DATA: .*file/data can't be used"):
        Claim(tmp_path / "file" / "data").__enter__()
