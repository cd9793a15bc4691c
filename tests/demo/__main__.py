"""`python -m tests.demo`: play it, then leave it running until Ctrl-C.

With DEMO_ONCE=1 it ends by itself: 0 where every step held, 1 with the step's name where one did
not. In every case all processes are ended and the folder is removed.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.demo import farther, steps
from tests.demo.scene import WARD, Scene
from tests.demo.telling import Telling
from tests.town.process import MODULES, Program
from tests.town.town import town

STEPS: tuple[Callable[[Scene], None], ...] = (
    steps.found,
    steps.enrol,
    steps.offline,
    steps.back,
    steps.differ,
    steps.settle,
    farther.tablet,
    farther.revoke,
    farther.bundle,
    farther.desk,
    farther.sound,
)


def main() -> int:
    """Play the demo; return its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)  # both said: a shell's background job begins deaf to Ctrl-C
    tell = Telling(sys.stdout)
    tell.say("Một Cửa: two wards, a city, a cut line. Everything below is a real process.")
    try:
        with town() as place:
            scene = Scene(place, tell)
            for work in STEPS:
                with tell.step((work.__doc__ or work.__name__).strip()):
                    work(scene)
            tell.end()
            if os.environ.get("DEMO_ONCE", "") in ("", "0"):
                _stay(scene)
    except KeyboardInterrupt:
        sys.stdout.write("\nStopped; everything was ended and removed.\n")
        return 0 if tell.title == STAY else 1
    except Exception as problem:  # noqa: BLE001 - any failure is a step that did not hold
        sys.stdout.write(f"\n✗ {tell.title}\n  {type(problem).__name__}: {problem}\n")
        return 1
    return 0


STAY = "it stays up"


def _stay(scene: Scene) -> None:
    """Leave everything running, and say what can be tried."""
    scene.served["soc-son"] = scene.village.serve("--host", "127.0.0.1", "--port", "0")
    scene.tell.title = STAY
    say = scene.tell.say
    say("")
    say("It stays up. Addresses:")
    say(f"  the city       {scene.town.url}")
    for name, served in scene.served.items():
        say(f"  {name:<14} {served.url}")
    say("The desk, in a browser on this machine (docs/DESK.md). Its certificate is by the ward's")
    say("own authority, so the browser warns; the officers are test people, the codes work once:")
    say(f"  {scene.served['quay-1'].url}/")
    for name, code in scene.noted["codes"].items():
        say(f"  {name:<18} {code}")
    say("Try, in another terminal:")
    for program, words in (
        (scene.hub, "ward list"),
        (scene.hub, "health"),
        (scene.hub, f"dossier list --ward {WARD} --limit 5"),
        (scene.desk, "dossier list --limit 5"),
        (scene.desk, f"dossier show {scene.noted['record'][:20]}"),
        (scene.desk, f"dossier set {scene.noted['record'][:20]} --note 'Đã gọi điện'"),
        (scene.tablet, "sync"),
    ):
        say(f"  {_typed(program)} {words}")
    say("Ctrl-C ends everything and removes it.")
    threading.Event().wait()


def _typed(program: Program) -> str:
    script = Path(sys.executable).with_name(program.name)
    start = str(script) if script.exists() else f"{sys.executable} -m {MODULES[program.name]}"
    return f"{start} --home {program.home}"


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
