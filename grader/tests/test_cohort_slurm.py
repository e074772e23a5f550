# SPDX-License-Identifier: MIT
"""A class graded by Slurm: the verdicts of a local run, whatever the cluster does.

All but the last part speaks to a real cluster (grader/tests/slurm.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from grader.cohort import node
from grader.cohort.engine import Lost
from grader.cohort.node import machine
from grader.cohort.run import Run, stoppable
from grader.cohort.site import FILE, Site
from grader.cohort.slurm import Slurm
from grader.cohort.slurm_queue import Queue, Refused
from grader.cohort.store import Result, Store
from grader.course import Course
from grader.errors import ROOM_BYTES, OperatorError
from grader.settings import ROOT
from grader.tests.cohort import STAGE, class_of, planner, run_in
from grader.tests.conftest import Disk
from grader.tests.slurm import GUARD_S, MAX_ARRAY, Cluster, missing

BOOT, SEED = "00-boot", "00000000000000ff"
SITE = Site((), chunk=20, patience_s=GUARD_S)
LOOK_S = 0.3
DOWN = ("state=down", "reason=test")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    if missing():
        pytest.skip(missing())
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        with pytest.MonkeyPatch.context() as patch, Cluster(Path(folder)) as made:
            patch.setenv("SLURM_CONF", made.environment["SLURM_CONF"])
            yield made


class Disturbed(Slurm):
    """Something happens to the cluster, once, when `when` holds."""

    when: Callable[[], bool]
    disturb: Callable[[], object]
    done: bool = False

    def wait(self, timeout_s: float) -> list[Lost]:
        lost = super().wait(timeout_s)
        if not self.done and self.when():
            self.done = True
            self.disturb()
        return lost


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def engine(out: Path, site: Site = SITE) -> Disturbed:
    made = Disturbed(out, site, None, ("grader.tests.cohort",), LOOK_S)
    made.when = lambda: False
    return made


def graded(run: Run, *names: str) -> dict[str, int | None]:
    with stoppable(run.engine, str):
        run.recover()
        run.grade(class_of(run, *names), planner(run))
    return {r.submission: r.points for r in run.store.results(STAGE)}


def lost(run: Run) -> dict[str, str]:
    """By submission, how its last lost worker ended."""
    rows = run.store.attempts(STAGE)
    return {row["submission"]: row["detail"] for row in rows}


# The same verdicts


def class_run(place: Path, name: str) -> Mapping[str, Result]:
    command = [sys.executable, "-m", "grader", "class", f"--stage={BOOT}"]
    command += ["--arch=i386", f"--submissions={place / 'class'}", f"--seed={SEED}"]
    command += [f"--out={place / name}", f"--engine={name}", "--jobs=1"]
    environment = {**os.environ, "RINGLAB_CORE": "ready"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, timeout=GUARD_S
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    store = Store.open(place / name)
    try:
        return {result.submission: result for result in store.results(BOOT)}
    finally:
        store.close()


def test_verdicts_are_those_of_a_local_run(cluster: Cluster, tmp_path: Path) -> None:
    right = (ROOT / "solutions" / BOOT / "greet.c").read_bytes()
    for name, data in {"ada": right, "bob": b"int x\n"}.items():
        file = tmp_path / "class" / name / BOOT / "greet.c"
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
    there, here = class_run(tmp_path, "slurm"), class_run(tmp_path, "local")
    assert [there["ada"].points, there["bob"].points] == [10, 0]
    for name, result in there.items():
        assert (result.key, result.seed) == (here[name].key, here[name].seed)
        assert result.verdict == here[name].verdict
        assert (tmp_path / "slurm" / result.folder / "report.html").is_file()


# What a cluster does


def test_a_cancelled_job_is_graded_all_the_same(
    cluster: Cluster, course: Course, out: Path
) -> None:
    slurm = engine(out)
    slurm.when = (out / "waits.begun").exists
    slurm.disturb = lambda: cluster.command("scancel", f"--name={Queue.of(out).name}")
    run = run_in(course, out, slurm)
    assert graded(run, "ada", "waits", "zoe") == {"ada": 5, "waits": 5, "zoe": 5}
    assert lost(run).keys() == {"waits", "zoe"}
    assert "CANCELLED" in lost(run)["zoe"]


def test_a_lost_node_costs_nobody_a_mark(
    cluster: Cluster, course: Course, out: Path
) -> None:
    def power_cut() -> None:
        cluster.lose_node()
        cluster.command("scontrol", "update", *DOWN, f"nodename={cluster.node}")
        cluster.start_node()

    slurm = engine(out)
    slurm.when = (out / "waits.begun").exists
    slurm.disturb = power_cut
    run = run_in(course, out, slurm)
    assert graded(run, "waits", "zoe") == {"waits": 5, "zoe": 5}
    assert lost(run).keys() == {"waits", "zoe"}
    assert f"on {cluster.node}: node fail" in lost(run)["zoe"]


def test_who_kills_every_worker_takes_no_neighbour_along(
    cluster: Cluster, course: Course, out: Path
) -> None:
    run = run_in(course, out, engine(out))
    assert graded(run, "ada", "dies", "zoe") == {"ada": 5, "dies": None, "zoe": 5}
    assert run.store.results(STAGE)[1].status == "harness error"


# What a queue does


def test_a_full_queue_is_waited_for(
    cluster: Cluster, course: Course, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = ("sbatch", "--hold", "--job-name=others", "--array=0-1", "--wrap=true")
    cluster.command(*held)
    cluster.limit(most_jobs=2)
    slurm = engine(out)
    slurm.when = lambda: "unable to accept job" in slurm.obstacle
    slurm.disturb = cluster.limit
    assert graded(run_in(course, out, slurm), "ada") == {"ada": 5}
    cluster.command("scancel", "--name=others")
    assert "tried again every" in capsys.readouterr().out


def test_a_closed_partition_is_waited_for(
    cluster: Cluster, course: Course, out: Path
) -> None:
    set_to("inactive", cluster)
    slurm = engine(out)
    slurm.when = lambda: "not available" in slurm.obstacle
    slurm.disturb = lambda: set_to("up", cluster)
    assert graded(run_in(course, out, slurm), "ada") == {"ada": 5}


def test_nothing_is_waited_for_without_end(
    cluster: Cluster, course: Course, out: Path
) -> None:
    set_to("inactive", cluster)
    run = run_in(course, out, engine(out, Site((), 20, patience_s=0.5)))
    with pytest.raises(OperatorError, match="nothing for this class .*not available"):
        graded(run, "ada")
    set_to("up", cluster)
    assert not run.store.results(STAGE)


def set_to(state: str, cluster: Cluster) -> None:
    cluster.command("scontrol", "update", "partitionname=grade", f"state={state}")


def test_arrays_are_as_long_as_slurm_takes_them(
    cluster: Cluster, course: Course, out: Path
) -> None:
    names = [f"n{number}" for number in range(MAX_ARRAY + 1)]
    run = run_in(course, out, engine(out, Site((), 1, GUARD_S)))
    assert graded(run, *names) == dict.fromkeys(names, 5)


@pytest.mark.parametrize(
    "word, says",
    [
        ("--partition=nowhere", "invalid partition.*ci/slurm.md"),
        ("--time=600", "never run: PartitionTimeLimit.*ci/slurm.md"),
    ],
)
def test_what_the_site_says_wrongly_is_told_at_once(
    cluster: Cluster, course: Course, out: Path, word: str, says: str
) -> None:
    run = run_in(course, out, engine(out, Site((word,), 20, GUARD_S)))
    with pytest.raises(OperatorError, match=says):
        graded(run, "ada")


def test_nobody_is_graded_on_a_node_with_other_tools(
    cluster: Cluster, course: Course, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {**machine(), "nasm": "9.99"}
    monkeypatch.setattr(node, "machine", lambda: other)
    run = run_in(course, out, engine(out))
    with pytest.raises(OperatorError, match="left out: .*nasm is .* here, 9.99 there"):
        graded(run, "ada")
    assert not run.store.results(STAGE)


def test_a_node_that_does_not_have_out_is_told(
    cluster: Cluster, course: Course, out: Path, disk: Disk
) -> None:
    """The node has mounts of its own: what is mounted now, it does not see."""
    disk(out, 2 * ROOM_BYTES)
    run = run_in(course, out, engine(out))
    with pytest.raises(OperatorError, match="on a file system that this node has"):
        graded(run, "ada")
    assert not run.store.results(STAGE)


def test_jobs_of_a_run_that_was_killed_are_cancelled_by_the_next(
    cluster: Cluster, course: Course, out: Path
) -> None:
    first, run = engine(out), run_in(course, out, engine(out))
    (one,) = class_of(run, "waits")
    first.recover()
    first.start([*planner(run).items(one, run.stage, "i386")])
    while not (out / "waits.begun").exists():
        first.wait(LOOK_S)
    run.recover()
    assert [state.word for state in Queue.of(out).states().values()] == ["CANCELLED"]


# What needs no cluster


@pytest.mark.parametrize(
    "said, fewer, later",
    [
        ("QOSMaxSubmitJobPerUserLimit; Job violates accounting/QOS policy", True, True),
        ("AssocMaxWallDurationPerJobLimit; (job submit limit, size)", False, False),
        ("Slurm temporarily unable to accept job, sleeping and retrying", True, True),
        ("Batch job submission failed: Invalid job array specification", True, True),
        ("Unable to contact slurm controller (connect failure)", False, True),
        ("Socket timed out on send/recv operation", False, True),
        ("Required partition not available (inactive or drain)", False, True),
        ("Requested node configuration is not available", False, False),
        ("Invalid account or account/partition combination specified", False, False),
    ],
)
def test_what_a_refusal_is_taken_for(said: str, fewer: bool, later: bool) -> None:
    assert (Refused(said).fewer, Refused(said).later) == (fewer, later)


@pytest.mark.parametrize(
    "text, says",
    [
        ("sbatch = []\nchunk = 0\npatience_minutes = 1", "chunk"),
        ("sbatch = [1]\nchunk = 1\npatience_minutes = 1", "sbatch"),
        ("partition = 'x'", "partition"),
        ("chunk =", "TOML"),
    ],
)
def test_a_site_s_file_is_checked(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "slurm.toml"
    file.write_text(text)
    with pytest.raises(OperatorError, match=f"slurm.toml: {says}"):
        Site.load(file)


def test_the_file_that_is_there_is_right() -> None:
    assert Site.load(ROOT / FILE).chunk > 1
