#!/usr/bin/python3
"""The Dialpad simulator's command line. `dialpad_sim.py --help` lists the commands.

Secrets come from the environment, SIM_HOOK_SECRET and SIM_CLIENT_SECRET, never from the
arguments, which every user of the machine can read.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Callable

if __package__ in (None, ""):  # run as a file: find the package from the project's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from test.sim import jws
from test.sim.cast import MOST_COMPANIES
from test.sim.catalogue import SCENARIOS, events_by_time, names_of, perform
from test.sim.delivery import Courier, pack
from test.sim.report import full_report, summarise
from test.sim.server import Server, serve
from test.sim.world.oauth import KNOWN_SCOPES, Client
from test.sim.world.settings import Settings
from test.sim.world.world import World

EXIT_LOST = 1
EXIT_USAGE = 2


def hook_key() -> bytes:
    """The secret's raw bytes are the key, as Dialpad uses them."""
    secret = os.environ.get("SIM_HOOK_SECRET", "")
    if not secret:
        print("dialpad_sim: set SIM_HOOK_SECRET to the hook's secret", file=sys.stderr)
        sys.exit(EXIT_USAGE)
    return secret.encode("utf-8")


def command_play(options: argparse.Namespace) -> int:
    key = hook_key()
    seed = options.seed or str(time.time_ns())
    plays = perform(options.scenario, options.calls or len(options.scenario), seed,
                    time.time_ns() // 1_000_000)
    parcels = pack(events_by_time(plays),
                   lambda claims: jws.mint(jws.claim_bytes(claims), key),
                   repeat=options.repeat, shuffled=options.order == "shuffled", seed=seed)
    Courier(options.url, connections=options.connections, rate=options.rate,
            time_scale=options.time_scale, keep_alive=not options.new_connections,
            ).deliver(parcels)
    if options.report:
        Path(options.report).write_text(json.dumps(full_report(plays, parcels, seed),
                                                   indent=2) + "\n")
    summary = summarise(parcels)
    print(f"seed {seed}: {summary}")
    return EXIT_LOST if summary.lost else 0


def command_serve(options: argparse.Namespace) -> int:
    settings = Settings(token_seconds=options.token_seconds)
    world = World(options.companies, settings)
    if options.client_id:
        secret = os.environ.get("SIM_CLIENT_SECRET", "")
        if not secret or not options.redirect_uri:
            print("dialpad_sim: --client-id needs --redirect-uri and SIM_CLIENT_SECRET",
                  file=sys.stderr)
            return EXIT_USAGE
        world.oauth.clients[options.client_id] = Client(
            options.client_id, secret, tuple(options.redirect_uri), KNOWN_SCOPES)
    serve(Server(options.host, options.port, world, options.time_scale))
    return 0


def command_list(_options: argparse.Namespace) -> int:
    for scenario in SCENARIOS.values():
        print(f"{scenario.name:20} {scenario.summary}")
    print(f"{'all':20} each of the above once")
    print(f"{'demo':20} a busy few minutes up to now")
    return 0


def command_sign(options: argparse.Namespace) -> int:
    key = hook_key()
    for name in options.files:
        print(jws.mint(Path(name).read_bytes(), key))
    return 0


def scenario_names(text: str) -> list[str]:
    try:
        names = names_of(text)
    except KeyError as unknown:
        raise argparse.ArgumentTypeError(f"no scenario {unknown}; see `list`") from None
    if not names:
        raise argparse.ArgumentTypeError("no scenario named")
    return names


def positive(kind: type) -> Callable[[str], int | float]:
    def parse(text: str) -> int | float:
        value = kind(text)
        if value <= 0:
            raise ValueError
        return value
    parse.__name__ = f"positive {kind.__name__}"  # argparse shows it in its message
    return parse


def share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError
    return value


def factor(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def webhook_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError
    return text


def add_play(commands) -> None:
    play = commands.add_parser("play", help="send scenarios to a webhook, signed")
    play.set_defaults(run=command_play)
    play.add_argument("--url", required=True, type=webhook_url)
    play.add_argument("--scenario", required=True, type=scenario_names,
                      metavar="NAME[,NAME…]|all|demo")
    play.add_argument("--calls", type=positive(int), metavar="N",
                      help="how many scenarios to play, going round the names")
    play.add_argument("--rate", type=positive(float), metavar="R", help="events per second")
    play.add_argument("--order", choices=("in", "shuffled"), default="in")
    play.add_argument("--repeat", type=share, default=0.0, metavar="P",
                      help="share of events that come twice, 0 to 1")
    play.add_argument("--seed", metavar="S", help="same seed, same story (default: new)")
    play.add_argument("--connections", type=positive(int), default=1, metavar="N")
    play.add_argument("--new-connections", action="store_true",
                      help="a new connection for each request")
    play.add_argument("--time-scale", type=factor, default=1.0, metavar="X",
                      help="factor on the waits between tries")
    play.add_argument("--report", metavar="FILE.json")


def companies(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MOST_COMPANIES:
        raise ValueError
    return value


def add_serve(commands) -> None:
    server = commands.add_parser("serve", help="Dialpad over HTTP: OAuth, API, webhooks")
    server.set_defaults(run=command_serve)
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=int, required=True, help="0 takes a free one")
    server.add_argument("--companies", type=companies, default=2, metavar="N")
    server.add_argument("--client-id", metavar="ID",
                        help="an OAuth app; its secret is in SIM_CLIENT_SECRET")
    server.add_argument("--redirect-uri", action="append", metavar="URI",
                        help="where that app may be redirected to; may be repeated")
    server.add_argument("--token-seconds", type=positive(int), default=3600, metavar="S",
                        help="how long access tokens live")
    server.add_argument("--time-scale", type=factor, default=1.0, metavar="X",
                        help="factor on the waits between tries")


def parser() -> argparse.ArgumentParser:
    main_parser = argparse.ArgumentParser(
        prog="dialpad_sim.py", description="Plays Dialpad. The README beside it explains.")
    commands = main_parser.add_subparsers(required=True)
    add_play(commands)
    add_serve(commands)
    lister = commands.add_parser("list", help="name the scenarios")
    lister.set_defaults(run=command_list)
    signer = commands.add_parser("sign", help="print the JWS of files' exact bytes")
    signer.add_argument("files", nargs="+", metavar="FILE")
    signer.set_defaults(run=command_sign)
    return main_parser


def main() -> int:
    options = parser().parse_args()
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
