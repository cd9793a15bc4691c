"""`init` and `serve`: a hub comes to life, and stays up."""

from __future__ import annotations

import argparse
import contextlib
import logging
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from central_hub.charter import fit_tls, save_address
from central_hub.city import City
from central_hub.duties import Duties
from central_hub.followers import Followers
from central_hub.founding import CITY_ROOT_FILE, RECOVERY_FILE, found_city
from central_hub.reception import Reception
from device_home.command import DONE, Command, Output, Program
from device_home.handing import executor
from device_home.loops import Loop
from sync_protocol.errors import InputError
from sync_protocol.transport.handover import HandoverServer

PORT = 8443
HOST = "0.0.0.0"  # noqa: S104 - a hub is there to be reached; --host narrows it
_FILES_WANTED = 65_536
"""Open files: 579 wards with about 12 each, 1,024 connections, and room."""


def _configure_init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--take-away", metavar="DIR", help="where the offline keys go (HOME-takeaway)"
    )


def _init(_city: City, arguments: argparse.Namespace, output: Output) -> int:
    home: Path = arguments.home
    given = arguments.take_away
    folder = output.path(given) if given else home.with_name(home.name + "-takeaway")
    if folder == home or home in folder.parents:
        raise InputError("The keys that are taken away can't lie in the home. Nothing was done.")
    found_city(home, folder)
    output.say(f"The hub is ready in {home}.")
    output.say(f"Take this folder away and print it: {folder}")
    output.say("Without it no backup can be opened, and no lost ward brought back.")
    output.data(
        {
            "home": str(home),
            "take_away": str(folder),
            "city_root_key": str(folder / CITY_ROOT_FILE),
            "recovery_key": str(folder / RECOVERY_FILE),
        }
    )
    return DONE


def _configure_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="", help=f"address to listen at ({HOST})")
    parser.add_argument("--port", type=int, default=None, help=f"port to listen at ({PORT})")
    parser.add_argument("--url", default="", help="the address that invitations carry")


def serve_command(program: Callable[[], Program[City]]) -> Command[City]:
    """Return the command `serve`; `program` runs the commands that are handed over."""

    def serve(_city: City, arguments: argparse.Namespace, output: Output) -> int:
        _allow_files()
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
        stopping = _stopped_by_signal()
        with contextlib.closing(City.open(arguments.home)) as city:
            _serve(program(), city, arguments, output, stopping)
        return DONE

    return Command("serve", "serve the wards over TLS until stopped", serve, _configure_serve, True)


def _serve(
    program: Program[City],
    city: City,
    arguments: argparse.Namespace,
    output: Output,
    stopping: threading.Event,
) -> None:
    from central_hub.face import make_face  # late: Flask and the server come with them
    from sync_protocol.transport.serving import TlsServer

    settings = city.home.settings
    host = arguments.host or settings.text("host", HOST)
    port = settings.number("port", PORT) if arguments.port is None else arguments.port
    url = arguments.url or settings.text("url")
    named = urlsplit(url).hostname or host
    if url and urlsplit(url).scheme != "https":
        raise InputError("An address of the hub begins with https://.")
    tls = fit_tls(city.home.vault, named, city.home.wall())
    followers = Followers(city)
    reception = Reception(city, followers, tls.ca_pem)
    server = TlsServer(make_face(reception), (host, port), tls.server_pem, tls.server_key_pem)
    run = executor(program, city, city.home.folder, within=city.command)
    handover = HandoverServer(city.home.folder, run)
    duties = Loop("duties", Duties(city).work)
    with contextlib.ExitStack() as up:
        server.start()
        up.callback(server.stop)
        seen = _reachable(host)
        url = url or f"https://{seen}:{server.port}"
        save_address(city.home.vault, url)
        followers.start()
        up.callback(followers.stop)
        duties.start()
        up.callback(duties.stop)
        handover.start()
        up.callback(handover.stop)
        output.emit("out", f"ready https://{seen}:{server.port}\n")
        while not stopping.wait(1.0):
            pass
        output.note("stopping; what was acknowledged is safe\n")


def _reachable(host: str) -> str:
    """Return a host that a device on this machine can call."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _stopped_by_signal() -> threading.Event:
    stopping = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping


def _allow_files() -> None:
    """Ask the system for as many open files as a city of wards needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, _FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):
            sys.stderr.write(f"only {soft} files may be open; hundreds of wards need more\n")


INIT = Command("init", "make a new hub and its offline keys", _init, _configure_init, alone=True)
