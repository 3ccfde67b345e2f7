"""RabbitMQ, Redis and suppressd for one demo, all below one directory and on free ports.

They run under the users and permissions that ship in deploy/, with secrets made by deploy/make-secrets.
Each process notes itself in DIRECTORY/processes before it begins, so that `stop` finds everything even after
a crash of the demo. Deliberately absent: RabbitMQ's plugins (nothing here needs the management API).
"""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
RABBITMQ_PROGRAMS = "/usr/lib/rabbitmq/bin"  # Debian's wrappers in /usr/sbin insist on the package's user
START_TIMEOUT_S = 120  # a loaded machine starts RabbitMQ in 10 to 30
STOP_TIMEOUT_S = 30  # above shutdown.grace_s
# Its number and when it began (field 22 of stat), since numbers are used again.
NOTE_AND_BECOME = 'echo "$$ $(cut -d" " -f22 /proc/$$/stat) $1" >> "$0"; shift; exec "$@"'


class Trouble(Exception):
    """Something is missing or does not start; the text is for the person who ran the demo."""


class Servers:
    """What runs in a directory. Everything about it can be read back from there."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.secrets = self.directory / "secrets"
        self.ports = {}
        self.processes = {}
        if self._file("ports.json").exists():
            self.ports = json.loads(self._file("ports.json").read_text())

    def url(self, user):
        password = (self.secrets / f"rabbitmq-{user}.password").read_text().strip()
        return f"amqp://{user}:{password}@127.0.0.1:{self.ports['amqp']}/suppressd"

    @property
    def http(self):
        return f"http://127.0.0.1:{self.ports['admin']}"

    @property
    def config(self):
        """The files for `suppressd --config`, in their order."""
        shipped = [TOP / "config/suppressd.toml", TOP / "config/kazakhstan.toml"]
        return [*shipped, self._file("demo.toml")]

    def prepare(self):
        names = ["amqp", "distribution", "epmd", "redis", "admin"]
        self.ports = dict(zip(names, free_ports(len(names))))
        self._write("ports.json", json.dumps(self.ports))
        addresses = {
            "RABBITMQ_ADDRESS": f"127.0.0.1:{self.ports['amqp']}",
            "REDIS_ADDRESS": f"127.0.0.1:{self.ports['redis']}",
        }
        make = [TOP / "deploy/make-secrets", self.secrets]
        # Not to be ended half-way: its own commands would go on writing.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        made = subprocess.run(make, env={**os.environ, **addresses}, capture_output=True, text=True, check=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        if made.returncode:
            raise Trouble(f"deploy/make-secrets failed: {made.stderr.strip()}")
        self._write("demo.toml", self._overrides())

    def _overrides(self):
        lines = (self.secrets / "suppressd.env").read_text().split()
        urls = dict(line.split("=", 1) for line in lines)
        return "\n".join([
            "# What the demo changes; it comes after config/suppressd.toml and config/kazakhstan.toml.",
            f'amqp.url = "{urls["SUPPRESSD__AMQP__URL"]}"',
            f'redis.url = "{urls["SUPPRESSD__REDIS__URL"]}"',
            f'hashing.key_files = ["{self.secrets / "suppressd.key"}"]',
            f'admin.listen = "127.0.0.1:{self.ports["admin"]}"',
            'sources.call_center.users = ["callcenter"]',
            'sources.email.users = ["mail"]',
            'log.format = "text"',
            "",
        ])

    def start_redis(self):
        data = self.directory / "redis"
        data.mkdir()
        self._start("redis", [
            "redis-server", "--bind", "127.0.0.1", "--port", str(self.ports["redis"]), "--dir", str(data),
            "--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
            "--maxmemory-policy", "noeviction", "--aclfile", str(self.secrets / "users.acl"),
        ])

    def start_rabbitmq(self):
        # A port mapper of our own: left alone, RabbitMQ starts one as a daemon that nobody stops.
        epmd = str(self.ports["epmd"])
        self._start("epmd", ["epmd", "-port", epmd, "-address", "127.0.0.1"])
        self.wait_for_port("epmd", "epmd")
        self._write("rabbitmq.conf", "\n".join([
            f"listeners.tcp.1 = 127.0.0.1:{self.ports['amqp']}",
            f"load_definitions = {self.secrets / 'definitions.json'}",
            "vm_memory_high_watermark.absolute = 1GiB",
            "disk_free_limit.absolute = 50MB",
            "log.console = false",
            "",
        ]))
        self._write("plugins", "[].\n")
        self._write("environment", "")
        self._write(".erlang.cookie", f"cookie{random.getrandbits(128):x}", mode=0o400)
        self._start("rabbitmq", [f"{RABBITMQ_PROGRAMS}/rabbitmq-server"], {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.directory),
            "ERL_EPMD_PORT": epmd,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_ALLOW_INPUT": "1",  # the script becomes the server instead of staying as its parent
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +sbwt none +sbwtdcpu none +sbwtdio none",
            "RABBITMQ_NODENAME": f"demo{self.ports['amqp']}@localhost",
            "RABBITMQ_NODE_PORT": str(self.ports["amqp"]),
            "RABBITMQ_DIST_PORT": str(self.ports["distribution"]),
            "RABBITMQ_CONF_ENV_FILE": str(self._file("environment")),
            "RABBITMQ_CONFIG_FILE": str(self._file("rabbitmq.conf")),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._file("plugins")),
            "RABBITMQ_MNESIA_BASE": str(self._file("data")),
            "RABBITMQ_LOG_BASE": str(self._file("log")),
        })

    def start_suppressd(self, program):
        arguments = [argument for file in self.config for argument in ("--config", str(file))]
        init = subprocess.run([program, "init", *arguments], capture_output=True, text=True, check=False)
        if init.returncode:
            raise Trouble(f"suppressd init ended with {init.returncode}:\n{init.stderr.strip()}")
        self._start("suppressd", [program, "run", *arguments])

    def wait_for_port(self, name, port):
        def listens():
            try:
                socket.create_connection(("127.0.0.1", self.ports[port]), timeout=1).close()
                return True
            except OSError:
                return False
        self._wait(name, listens)

    def wait_ready(self):
        self._wait("suppressd", self._ready)

    def _ready(self):
        try:
            return self.get("/ready") is not None
        except urllib.error.HTTPError:
            return False  # 503: not yet
        except OSError:
            return False

    def get(self, path):
        with urllib.request.urlopen(self.http + path, timeout=2) as answer:
            return answer.read().decode()

    def _wait(self, name, done):
        deadline = time.monotonic() + START_TIMEOUT_S
        while not done():
            status = self.processes[name].poll()
            if status is not None:
                raise Trouble(f"{name} ended with {status}:\n{self.last_words(name)}")
            if time.monotonic() > deadline:
                raise Trouble(f"{name} does not serve after {START_TIMEOUT_S} s:\n{self.last_words(name)}")
            time.sleep(0.05)

    def ended(self):
        """Those that were started here and run no longer, though nobody stopped them."""
        statuses = {name: process.poll() for name, process in self.processes.items()}
        return [f"{name} ended with {status}" for name, status in statuses.items() if status is not None]

    def last_words(self, name, lines=8):
        text = "".join(self._file(f"{name}.{stream}").read_text(errors="replace") for stream in ("out", "err"))
        return "\n".join(text.splitlines()[-lines:])

    def _start(self, name, command, environment=None):
        noted = ["sh", "-c", NOTE_AND_BECOME, str(self._file("processes")), name, *map(str, command)]
        with self._file(f"{name}.out").open("ab") as out, self._file(f"{name}.err").open("ab") as err:
            # A session of its own: Ctrl-C is for the demo, and what is kept outlives the terminal.
            self.processes[name] = subprocess.Popen(
                noted, env=environment, cwd=self.directory, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )

    def stop(self):
        """Lets suppressd finish; the rest only has data that nobody needs any more."""
        running = {name: pid for name, pid in self._noted() if pid}
        if "suppressd" in running:
            os.kill(running["suppressd"], signal.SIGTERM)
            self._wait_gone({"suppressd"})
        for pid in running.values():
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._wait_gone(set(running))

    def _wait_gone(self, names):
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while any(pid and name in names for name, pid in self._noted()) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _noted(self):
        """Each process that was noted, with its number while it runs and with None after."""
        file = self._file("processes")
        for line in file.read_text().splitlines() if file.exists() else []:
            pid, began, name = line.split()
            yield name, int(pid) if runs(pid, began) else None

    def _file(self, name):
        return self.directory / name

    def _write(self, name, text, mode=0o600):
        self._file(name).write_text(text)
        self._file(name).chmod(mode)


def runs(pid, began):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z" and fields[19] == began


def free_ports(count):
    """Below the range that the kernel gives to outgoing connections, so that no client takes one meanwhile."""
    ports, begin = [], random.randrange(20_000)
    while len(ports) < count:
        begin += 1
        port = 10_240 + begin % 20_000
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
                ports.append(port)
            except OSError:
                pass
    return ports
