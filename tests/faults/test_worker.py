"""Nothing is lost: a worker, its broker, its store and its transactions fail in the middle of the work."""

import shutil
import time
from pathlib import Path

import pytest

from streams.embedded import Broker
from streams.settings import Settings
from tests.faults.harness import Process, lag, produced, send_findings, stored

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

COUNT = 50_000


def every_finding_once(settings: Settings) -> None:
    assert stored(settings, "select count(*), count(distinct id) from findings") == [(COUNT, COUNT)]
    assert stored(settings, "select count(*), count(distinct fid) from finding_records") == [(COUNT, COUNT)]


def in_the_middle(settings: Settings, share: float) -> bool:
    return produced(settings, "findings") > COUNT * share


def test_a_worker_killed_three_times_in_the_middle_loses_nothing_and_doubles_nothing(settings: Settings) -> None:
    send_findings(settings, COUNT)
    for share in (0.05, 0.3, 0.6):
        with Process(settings) as worker:
            worker.wait_for(lambda share=share: in_the_middle(settings, share))  # type: ignore[misc]
            worker.kill()
    with Process(settings) as worker:
        worker.wait_for(lambda: lag(settings) == 0)
        assert worker.stop() == 0
    every_finding_once(settings)


def test_a_store_that_is_deleted_is_filled_again_from_the_topics(settings: Settings) -> None:
    send_findings(settings, COUNT)
    with Process(settings) as worker:
        worker.wait_for(lambda: in_the_middle(settings, 0.5))
        worker.kill()
    shutil.rmtree(settings.store_file.parent)
    with Process(settings) as worker:
        worker.wait_for(lambda: lag(settings) == 0)
        worker.stop()
    every_finding_once(settings)


def test_two_workers_one_killed_the_survivor_has_everything(settings: Settings) -> None:
    other = settings.model_copy(update={"data": settings.data.with_name("other")})
    send_findings(settings, COUNT)
    with Process(settings) as survivor, Process(other) as victim:
        victim.wait_for(lambda: in_the_middle(settings, 0.3))
        victim.kill()
        survivor.wait_for(lambda: lag(settings) == 0)
        survivor.stop()
    every_finding_once(settings)


def test_a_broker_that_is_killed_and_started_again_costs_nothing(tmp_path: Path, settings: Settings) -> None:
    with Broker(tmp_path / "broker", settings.cache) as broker:
        own = settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap_servers})
        send_findings(own, COUNT)
        with Process(own) as worker:
            worker.wait_for(lambda: in_the_middle(own, 0.3))
            broker.kill()
            time.sleep(2)
            broker.start()
            assert broker.bootstrap_servers == own.kafka_bootstrap_servers
            worker.wait_for(lambda: lag(own) == 0)
            worker.stop()
        every_finding_once(own)
