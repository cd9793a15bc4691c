"""The command line of every program: parse, own the home, run; or hand the work to `serve`.

A command is a function of the opened app, its arguments and an `Output`. Where another process owns
the home (usually `serve`), the same words are handed over to it by a local socket, run there, and
what it prints is printed here. So every command works while `serve` is running.

What holds: exit codes are 0 done, 1 failed, 2 wrong usage. Whatever goes wrong ends in one
sentence, never in a traceback, which could quote what a person wrote. What others wrote can't steer
the terminal: whatever is no letter, mark or sign is shown as one sign, or escaped in JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from sync_protocol.errors import StoreBusyError, SyncError, UnreachableError
from sync_protocol.storage import vault

A = TypeVar("A")
Asked_contra = TypeVar("Asked_contra", contravariant=True)
DONE, FAILED, USAGE = 0, 1, 2
HOME_VARIABLE = "MOTCUA_HOME"
OWNER_WAIT_S = 30.0
"""Wait for a process that owns the home and takes no commands: another command, or a `serve` that
is just starting."""
_OWNER_LOOK_S = 0.1


@dataclass(slots=True)
class Output:
    """Where a command speaks. `cwd` is the folder in which its words were typed.

    `emit(stream, text)` writes text to "out" or "err"; `terminal` says whether a person watches
    this process's stderr.
    """

    emit: Callable[[str, str], None]
    as_json: bool
    cwd: Path
    terminal: bool = False

    def say(self, text: str) -> None:
        """Say a line to a person; silent under --json."""
        if not self.as_json:
            self.emit("out", shown(text) + "\n")

    def data(self, value: object) -> None:
        """Give the machine-readable answer; silent without --json."""
        if self.as_json:
            self.emit("out", json_line(value) + "\n")

    def note(self, text: str) -> None:
        """Say something beside the answer (progress, warnings)."""
        self.emit("err", shown(text))

    def path(self, text: str) -> Path:
        """Return a path that was typed, seen from where it was typed."""
        return (self.cwd / text).resolve()


def shown(text: str) -> str:
    """Return text that can only be read: no control character, no change of direction."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else _SIGN.get(one, "�") for one in text)


_SIGN = {"\t": " ", "\r": " ", "\u00a0": " ", "\u3000": " "}


def json_line(value: object) -> str:
    """Return one line of JSON, in which the same characters are escaped."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=_plain)
    except TypeError:  # another device's value may have keys that JSON lacks
        text = json.dumps(_named(value), ensure_ascii=False, default=_plain)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def _named(value: object) -> object:
    if isinstance(value, dict):
        return {
            key.hex() if isinstance(key, bytes) else str(key): _named(item)
            for key, item in value.items()
        }
    return [_named(item) for item in value] if isinstance(value, list | tuple) else value


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)


@dataclass(frozen=True, slots=True)
class Command(Generic[Asked_contra]):
    """One command.

    `alone` commands never open the home (init, sample, serve opens it itself); `homeless` ones do
    where there is one, and are given None where there is none.

    A command that asks little of its app fits every program whose app has it.
    """

    name: str
    help: str
    run: Callable[[Asked_contra, argparse.Namespace, Output], int]
    configure: Callable[[argparse.ArgumentParser], None] = lambda _parser: None
    alone: bool = False
    homeless: bool = False


@dataclass(frozen=True, slots=True)
class Program(Generic[A]):
    """A program: its commands, how its home is opened, and how it speaks to a running `serve`.

    `open_app(home)` owns the home or raises `StoreBusyError`; `hand_over(home, words, cwd)` yields
    ("out" or "err", text) and at last ("exit", code).
    """

    name: str
    version: Callable[[], str]
    description: str
    commands: Sequence[Command[A]]
    open_app: Callable[[Path], A]
    close_app: Callable[[A], None]
    hand_over: Callable[[Path, list[str], Path], Iterator[tuple[str, str]]]
    default_home: str = ""
    _names: dict[str, Command[A]] = field(default_factory=dict)

    def parser(self) -> argparse.ArgumentParser:
        """Return the parser; a group such as “ward add” is two words."""
        parser = _Parser(prog=self.name, description=self.description)
        home = os.environ.get(HOME_VARIABLE, self.default_home)
        parser.add_argument("--home", default=home, help="the device's folder (%(default)s)")
        parser.add_argument("--version", action=_ShowVersion, program=self)
        groups: dict[str, Any] = {"": parser.add_subparsers(dest="command", required=True)}
        for command in self.commands:
            group, _, last = command.name.rpartition(" ")
            if group not in groups:
                holder = groups[""].add_parser(group, help=f"{group} …")
                groups[group] = holder.add_subparsers(dest="subcommand", required=True)
            sub = groups[group].add_parser(last, help=command.help, description=command.help)
            sub.add_argument("--json", action="store_true", help="answer for machines")
            sub.set_defaults(_command=command)
            command.configure(sub)
        return parser

    def _read(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse a command line; words after options go to a command that has room for `more`."""
        parser = self.parser()
        arguments, more = parser.parse_known_args(words)
        if more and (not hasattr(arguments, "more") or any(w.startswith("-") for w in more)):
            parser.error(f"unrecognized arguments: {' '.join(more)}")
        if more:
            arguments.more = more
        return arguments

    def main(self, words: Sequence[str] | None = None) -> int:
        """Run one command line in this process, or hand it over."""
        typed = list(sys.argv[1:] if words is None else words)
        arguments = self._read(typed)
        home = Path(arguments.home).resolve()
        output = Output(_emit, arguments.json, Path.cwd(), sys.stderr.isatty())
        gc.freeze()  # what is loaded stays: to look through it again costs a sixth of every fold
        try:
            return self._run(arguments, home, typed, output)
        except KeyboardInterrupt:
            output.note(f"\n{self.name}: stopped. What was acknowledged is safe.\n")
            return FAILED
        except SyncError as problem:
            return self.failed(problem, output)
        except BrokenPipeError:  # whoever read us has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        except Exception as error:  # noqa: BLE001 - its words may quote what a person wrote
            return self.broke(error, output)

    def _run(
        self, arguments: argparse.Namespace, home: Path, typed: list[str], output: Output
    ) -> int:
        command: Command[A] = arguments._command  # noqa: SLF001 - argparse keeps it under this name
        arguments.home = home
        if command.alone or (command.homeless and not vault.exists(home)):
            return command.run(None, arguments, output)  # type: ignore[arg-type]  # it opens nothing
        waited = threading.Event()
        deadline = time.monotonic() + OWNER_WAIT_S
        while True:
            try:
                app = self.open_app(home)
            except StoreBusyError as busy:
                try:
                    return self._elsewhere(home, typed, output)
                except UnreachableError:
                    if time.monotonic() > deadline:
                        raise busy from None
                    waited.wait(_OWNER_LOOK_S)
                    continue
            try:
                return command.run(app, arguments, output)
            finally:
                self.close_app(app)

    def _elsewhere(self, home: Path, typed: list[str], output: Output) -> int:
        """Hand the work over. Raises `UnreachableError` where the owner takes no commands."""
        code = FAILED
        for kind, text in self.hand_over(home, typed, output.cwd):
            if kind == "exit":
                code = int(text)
            else:
                output.emit(kind, text)
        return code

    def execute(
        self, app: A, home: Path, words: list[str], cwd: Path, emit: Callable[[str, str], None]
    ) -> int:
        """Run words that were handed over, inside `serve`."""
        try:
            arguments = self._read(words)
        except SystemExit as stop:
            return int(stop.code or 0)
        output = Output(emit, arguments.json, cwd)
        command: Command[A] = arguments._command  # noqa: SLF001 - as above
        if command.alone:
            output.note(f"{self.name}: this command needs the home for itself.\n")
            return FAILED
        arguments.home = home
        try:
            return command.run(app, arguments, output)
        except SyncError as problem:
            return self.failed(problem, output)
        except Exception as error:  # noqa: BLE001 - `serve` outlives a command
            return self.broke(error, output)

    def broke(self, error: Exception, output: Output) -> int:
        """Say where the program itself broke, without the error's words."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        sentence = (
            f"The program broke ({type(error).__name__}, {Path(place.filename).name}:"
            f"{place.lineno}). What was acknowledged is safe; please report this line."
        )
        if output.as_json:
            output.data({"error": "internal", "diagnosis": sentence})
        output.note(f"{self.name}: {sentence} [internal]\n")
        return FAILED

    def failed(self, problem: SyncError, output: Output) -> int:
        """Say what went wrong, to a person or a machine."""
        if output.as_json:
            output.data({"error": problem.code, "diagnosis": problem.diagnosis})
        output.note(f"{self.name}: {problem.diagnosis} [{problem.code}]\n")
        return FAILED


class _ShowVersion(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, *, program: Program[Any]) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version and exit")
        self._program = program

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        sys.stdout.write(f"{self._program.name} {self._program.version()}\n")
        parser.exit(DONE)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _emit(stream: str, text: str) -> None:
    target = sys.stdout if stream == "out" else sys.stderr
    target.write(text)
    target.flush()
