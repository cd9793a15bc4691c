"""A ratio is made within one run, and a budget is held or it is not."""

from typing import Any

from benchmarks import budgets, report
from benchmarks.contender import Figures, Phase

SESSION = {"dossiers": 10_000, "zstd3_bytes": 800_000}


def _result(name: str, *cpus: float) -> report.Result:
    runs: list[dict[str, Any]] = []
    for cpu in cpus:
        extra = {
            "cpu_at_ack_s": cpu / 10,
            "gross_cpu_client_s": cpu,
            "gross_wall_s": cpu,
            "body_bytes": 280.0,
            "conflicts_wanted": 15,
            "resent_bytes": 10_000.0,
        }
        row = Figures(cpu, cpu / 2, cpu / 2, 700_000, 1_000, 1, 1, 50, 60, 15, 0, True, extra)
        runs.append({phase: row.as_json() for phase in Phase})
    return report.Result(name, SESSION, {"signed": "yes"}, runs)


def test_the_quoted_ratio_is_the_middle_one_of_the_runs_and_names_its_run() -> None:
    ours, peer = _result("ours", 1.0, 2.0, 4.0), _result("floor", 3.0, 2.0, 8.0)
    found = report.ratio(ours, peer, Phase.P1, "CPU")
    assert found is not None
    assert (found.factor, found.run) == (2.0, 3)


def test_budgets_are_judged_by_the_same_run_and_say_what_was_not_measured() -> None:
    ours = _result("ours", 1.0)
    rows = {row.wanted: row for row in budgets.budgets([ours, _result("floor", 0.4)])}
    push = "push: CPU of both ends, everything on, "
    assert rows[push + "≤ 2 × the floor of the same run"].held is False
    assert rows[push + "≥ 6 × less than PouchDB at batch 1000"].held is None
    assert rows["push: bytes on the wire ≤ zstd -3 of the same JSON lines"].held is True
    assert rows["a full ingest on the hub ≥ 15,000 dossiers/s per core"].held is True
    assert budgets.budgets([_result("floor", 1.0)]) == []


def test_the_page_keeps_what_people_wrote_around_the_tables(tmp_path: Any) -> None:
    page = tmp_path / "BENCHMARKS.md"
    report.write_page("first", page)
    page.write_text(page.read_text() + "\nby hand\n")
    report.write_page("second", page)
    text = page.read_text()
    assert "second" in text
    assert "first" not in text
    assert text.endswith("\nby hand\n")


def test_what_was_saved_can_be_read_again(tmp_path: Any) -> None:
    report.save(_result("floor", 1.0), tmp_path)
    report.save(_result("ours", 1.0), tmp_path)
    assert [one.name for one in report.load(tmp_path)] == ["ours", "floor"]
