#!/usr/bin/env python3
"""Takes the still of `bwmon top` for the README: docs/images/top.png.

    sudo docs/demo/top.py target/release/bwmon docs/images/top.png

Makes network namespaces with a router and devices that behave, has bwmon count them for a minute,
and makes a picture of the screen. Needs root, iproute2, tmux and chromium. Everything that it makes
is gone when it ends.
"""

import argparse
import html
import json
import math
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

# Name, limit of a day, and what it receives and sends at a second, in bytes per second.
DEVICES = [
    ("Living room TV", 60e6, lambda t: 2.6e6 if t % 9 < 5 else 0.4e6, lambda t: 22e3),
    ("Anna's laptop", 90e6, lambda t: 1.3e6 * (1.2 + math.sin(t / 7)), lambda t: 90e3),
    ("NAS", 1e9, lambda t: 30e3, lambda t: 0.95e6 * (1 + min(t, 50) / 50)),
    ("Ben's phone", 20e6, lambda t: 0.5e6 * max(0, math.sin(t / 4)) ** 4, lambda t: 14e3),
    ("Work laptop", 400e6, lambda t: 210e3, lambda t: 190e3),
    ("Camera, door", 40e6, lambda t: 3e3, lambda t: 320e3),
    ("Thermostat", None, lambda t: 900 if t % 10 < 1 else 0, lambda t: 700 if t % 10 < 1 else 0),
    ("Tablet", 50e6, lambda t: 400e3 if 20 < t < 32 else 0, lambda t: 9e3 if 20 < t < 32 else 0),
    ("Printer", None, lambda t: 0, lambda t: 0),
    ("Games console", 200e6, lambda t: 60e3, lambda t: 45e3),
]
INTERNET = "203.0.113.1"
PORT = 4433
ROUTER = "bwmon-demo-router"


def run(*words, **more):
    return subprocess.run(words, check=True, text=True, capture_output=True, **more).stdout


def ip(*words):
    run("ip", *words)


def namespace(index):
    return f"bwmon-demo-{index}"


def quiet(there):
    """Without the link-local addresses that would be devices of their own."""
    run("ip", "netns", "exec", there, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")


def build():
    """A router with a bridge, and a device behind each of its ports."""
    ip("netns", "add", ROUTER)
    quiet(ROUTER)
    inside = ("-n", ROUTER)
    ip(*inside, "link", "set", "lo", "up")
    ip(*inside, "link", "add", "br-lan", "type", "bridge", "stp_state", "0", "forward_delay", "0")
    ip(*inside, "addr", "add", "192.168.1.1/24", "dev", "br-lan")
    ip(*inside, "addr", "add", f"{INTERNET}/32", "dev", "lo")
    ip(*inside, "link", "set", "br-lan", "up")
    run("ip", "netns", "exec", ROUTER, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    for index, _ in enumerate(DEVICES):
        there = namespace(index)
        mac = f"02:42:c0:a8:01:{index + 10:02x}"
        ip("netns", "add", there)
        quiet(there)
        ip(*inside, "link", "add", f"port{index}", "type", "veth",
           "peer", "name", "eth0", "address", mac, "netns", there)
        ip(*inside, "link", "set", f"port{index}", "master", "br-lan", "up")
        ip("-n", there, "addr", "add", f"192.168.1.{index + 10}/24", "dev", "eth0")
        ip("-n", there, "link", "set", "eth0", "up")
        ip("-n", there, "route", "add", "default", "via", "192.168.1.1")


def tear_down(children):
    for child in children:
        child.kill()
        child.wait()
    for there in [ROUTER] + [namespace(index) for index, _ in enumerate(DEVICES)]:
        subprocess.run(["ip", "netns", "del", there], capture_output=True)


def pump(index, sends):
    """Runs in a namespace: sends what a device receives, or what it sends."""
    _, _, down, up = DEVICES[index]
    pace, source, target = (
        (up, ("0.0.0.0", PORT), (INTERNET, 5000 + index))
        if sends
        else (down, (INTERNET, 5000 + index), (f"192.168.1.{index + 10}", PORT))
    )
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(source)
    begin = time.monotonic()
    owed = 0.0
    last = begin
    while True:
        time.sleep(0.05)
        now = time.monotonic()
        owed += pace(now - begin) * (now - last) * random.uniform(0.8, 1.2)
        last = now
        while owed >= 1242:
            owed -= 1242
            try:
                sock.sendto(bytes(1200), target)
            except OSError:
                pass


def start_traffic():
    children = []
    for index, _ in enumerate(DEVICES):
        for sends in (False, True):
            there = namespace(index) if sends else ROUTER
            words = ["ip", "netns", "exec", there, sys.executable, __file__, "pump", str(index)]
            children.append(subprocess.Popen(words + (["up"] if sends else ["down"])))
    return children


def configure(directory):
    devices = {}
    for index, (name, limit, _, _) in enumerate(DEVICES):
        entry = {"name": name, "surge": False}
        if limit:
            entry["bandwidth_threshold"] = int(limit)
        devices[f"192.168.1.{index + 10}"] = entry
    with open(f"{directory}/registered_devices.json", "w") as file:
        json.dump(devices, file)
    with open(f"{directory}/bwmon.toml", "w") as file:
        file.write('devices_file = "registered_devices.json"\n')
        file.write("[names]\ndhcp = false\nethers = false\nhosts = false\ndns = false\n")


def screen(binary, size, seconds, keys, options):
    """What bwmon draws, with its escape sequences."""
    columns, lines = size.split("x")
    with tempfile.TemporaryDirectory() as directory:
        configure(directory)
        tmux = ["tmux", "-L", f"bwmon-demo-{os.getpid()}", "-f", "/dev/null"]
        command = (
            f"unset NO_COLOR; {options} ip netns exec {ROUTER} unshare --uts sh -c 'hostname router; "
            f"exec {binary} top --iface br-lan --config {directory}/bwmon.toml'"
        )
        start = ["-u", "new-session", "-d", "-x", columns, "-y", lines, command]
        try:
            run(*tmux, *start, env=dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm-256color"))
            time.sleep(seconds)
            for key in keys:
                run(*tmux, "send-keys", key)
                time.sleep(1.5)
            return run(*tmux, "capture-pane", "-p", "-e")
        finally:
            subprocess.run(tmux + ["kill-server"], capture_output=True)


PALETTES = {
    "dark": ("#16181d", "#d7dae0", ["#16181d", "#e5616c", "#8cc570", "#e0b568",
                                    "#61a8ef", "#c678dd", "#56b6c2", "#d7dae0"]),
    "light": ("#ffffff", "#24292f", ["#24292f", "#cf222e", "#116329", "#9a6700",
                                     "#0969da", "#8250df", "#1b7c83", "#57606a"]),
}


def page(text, theme):
    """The screen as HTML."""
    ground, ink, palette = PALETTES[theme]
    lines = []
    state = {"fg": None, "bold": False, "dim": False, "reverse": False}
    for line in text.rstrip("\n").split("\n"):
        out = []
        for part in re.split(r"(\x1b\[[0-9;]*m)", line):
            escape = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
            if escape:
                codes = [int(code or 0) for code in escape.group(1).split(";")]
                if codes[:2] == [38, 5]:
                    codes = [30 + codes[2]]
                for code in codes:
                    if code == 0:
                        state = {"fg": None, "bold": False, "dim": False, "reverse": False}
                    elif code == 1:
                        state["bold"] = True
                    elif code == 2:
                        state["dim"] = True
                    elif code == 22:
                        state["bold"] = state["dim"] = False
                    elif code in (7, 27):
                        state["reverse"] = code == 7
                    elif 30 <= code <= 37:
                        state["fg"] = palette[code - 30]
                    elif code == 39:
                        state["fg"] = None
                continue
            if not part:
                continue
            style = f"color:{state['fg'] or ink};"
            if state["reverse"]:
                style = f"color:{ground};background:{state['fg'] or ink};"
            if state["bold"]:
                style += "font-weight:bold;"
            if state["dim"]:
                style += "opacity:.55;"
            out.append(f'<span style="{style}">{html.escape(part)}</span>')
        lines.append("<div>" + ("".join(out) or "&nbsp;") + "</div>")
    return f"""<!doctype html><meta charset="utf-8"><style>
        body {{ margin: 0; background: {ground}; }}
        main {{ padding: 16px 18px; font: 15px/17.5px "DejaVu Sans Mono", monospace;
                white-space: pre; display: inline-block; }}
        main div {{ height: 17.5px; }}
    </style><main>{"".join(lines)}</main>"""


def picture(text, size, theme, path):
    columns, lines = (int(number) for number in size.split("x"))
    browser = shutil.which("chromium") or sys.exit("needs chromium")
    with tempfile.TemporaryDirectory() as directory:
        source = f"{directory}/screen.html"
        with open(source, "w") as file:
            file.write(page(text, theme))
        width, height = math.ceil(columns * 9.03) + 36, math.ceil(lines * 17.5) + 32
        run(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={directory}/profile", f"--window-size={width},{height}",
            f"--screenshot={os.path.abspath(path)}", f"file://{source}")


def main():
    if sys.argv[1:2] == ["pump"]:
        pump(int(sys.argv[2]), sys.argv[3] == "up")
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("binary")
    parser.add_argument("picture", help="a .png, or - for the text")
    parser.add_argument("--size", default="100x32")
    parser.add_argument("--seconds", type=float, default=66)
    parser.add_argument("--keys", nargs="*", default=[], help="as tmux names them")
    parser.add_argument("--theme", choices=PALETTES, default="dark")
    parser.add_argument("--env", default="", help="for bwmon, as NO_COLOR=1")
    args = parser.parse_args()
    children = []
    try:
        build()
        children = start_traffic()
        binary = os.path.abspath(args.binary)
        text = screen(binary, args.size, args.seconds, args.keys, args.env)
    finally:
        tear_down(children)
    if args.picture == "-":
        print(text)
    else:
        picture(text, args.size, args.theme, args.picture)


if __name__ == "__main__":
    main()
