"""Each job that can be asked for has a worker that answers it."""

import pkgutil
import subprocess
import sys

import workers
from coop import jobs
from workers import beat, timetable
from workers.celery_app import ROOMS, app
from workers.sweep import known

NAMES = {word for name, word in vars(jobs).items() if name.isupper() and isinstance(word, str) and "." in word}


def test_each_job_has_exactly_one_task_and_each_task_a_job(monkeypatch, tmp_path) -> None:
    nowhere = {"COOP_HOME": str(tmp_path), "DATABASE_URL": "postgresql://nowhere", "REDIS_URL": "redis://nowhere"}
    for name, value in nowhere.items():
        monkeypatch.setenv(name, value)
    app.loader.import_default_modules()
    assert set(known()) == NAMES - {jobs.SWEEP}


def test_each_room_of_workers_is_opened() -> None:
    plumbing = {"answering", "beat", "celery_app", "hearing", "retrying", "timetable"}
    assert {module.name for module in pkgutil.iter_modules(workers.__path__)} - plumbing == set(ROOMS)


def test_what_the_timetable_names_is_a_job() -> None:
    assert set(timetable.SLOTS) < NAMES


def test_the_beat_rings_for_the_sweep_and_knows_nothing_else() -> None:
    assert beat.SWEEP == jobs.SWEEP
    asked = "import sys, workers.beat; print(sorted({name.split('.')[0] for name in sys.modules} & {'sqlalchemy', 'numpy', 'flask'}))"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "[]\n"
