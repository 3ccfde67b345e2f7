# shellcheck shell=bash
# Sourced by tests/run and deploy/demo: installs what they need on Debian and its relatives, and finds Rust.
# It wants $me, the name under which to speak, and the top of the repository as the current directory.
#
# Installing the servers' packages starts none of them; those that run already are left alone.

say() { echo "$me: $*" >&2; }

# What is missing, as Debian's package names.
missing=()

# The same of what some distributions have under no name or another: installed where it can be.
wished=()

# A command that a package brings, and the package.
need() { command -v "$1" >/dev/null || [ -x "$1" ] || missing+=("$2"); }

need_mail_server() {
  need /usr/sbin/dovecot dovecot-core
  need /usr/lib/dovecot/imap dovecot-imapd
}

need_servers_and_compiler() {
  need /usr/lib/rabbitmq/bin/rabbitmq-server rabbitmq-server
  need epmd erlang-base
  need redis-server redis-server
  need cc build-essential
  need openssl openssl
}

# What runs the example clients in deploy/examples. Debian's own Python has Debian's python3-pika; one that comes
# first in PATH may not.
need_examples() {
  need /usr/bin/python3 python3
  if ! /usr/bin/python3 -c 'import pika' 2>/dev/null; then missing+=(python3-pika); fi
  need /usr/bin/php php-cli
  if [ ! -r /usr/share/php/PhpAmqpLib/autoload.php ]; then missing+=(php-amqplib); fi
  # The compiler too: the example is run from its source.
  need /usr/bin/javac default-jdk-headless
  if [ ! -r /usr/share/java/amqp-client.jar ]; then missing+=(librabbitmq-client-java); fi
  if [ ! -r /usr/share/java/gson.jar ]; then missing+=(libgoogle-gson-java); fi
}

# What scrapes the tests' workers, and what tests its rules.
need_prometheus() {
  need prometheus prometheus
  need promtool prometheus
}

# What builds the Debian package, installs it below a directory, and reads the files for Kubernetes.
need_packaging() {
  need dpkg-shlibdeps dpkg-dev
  need systemd-sysusers systemd
  need /usr/bin/python3 python3
  if ! /usr/bin/python3 -c 'import yaml' 2>/dev/null; then missing+=(python3-yaml); fi
}

# What gives the tests' workers another clock.
need_clock() {
  if ! compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; then missing+=(libfaketime); fi
}

# What looks at the status page. Ubuntu has it as a snap alone: then nothing looks, and that is said.
need_browser() {
  if ! command -v chromedriver >/dev/null; then wished+=(chromium chromium-driver); fi
}

# After install_missing.
check_browser() {
  if command -v chromedriver >/dev/null; then return; fi
  say "SKIPPED: chromedriver is not in PATH and not to be installed here: no browser looks at the status page."
  export SUPPRESSD_TESTS_WITHOUT_BROWSER=1
}

install_missing() {
  if [ $((${#missing[@]} + ${#wished[@]})) = 0 ]; then return; fi
  if ! command -v apt-get >/dev/null; then
    if [ ${#missing[@]} = 0 ]; then return; fi
    say "missing: ${missing[*]}. Only Debian and its relatives are installed by this script; install these and try again."
    exit 69
  fi
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { say "missing: ${missing[*]} ${wished[*]}. Run as root, or install sudo."; exit 69; }
    as_root=(sudo)
  fi
  # Package scripts ask /usr/sbin/policy-rc.d before they start a service; 101 forbids it. Written only
  # if nobody else has one, and removed again.
  local guard=/usr/sbin/policy-rc.d
  if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$guard" >/dev/null
    "${as_root[@]}" chmod 755 "$guard"
    # shellcheck disable=SC2064  # the names are meant to be fixed now
    trap "${as_root[*]} rm -f $guard" EXIT
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y)
  "${apt[@]}" update >/dev/null
  local package
  for package in "${wished[@]}"; do
    if apt-cache policy "$package" | grep -q 'Candidate: [^(]'; then missing+=("$package"); fi
  done
  say "installing ${missing[*]}"
  "${apt[@]}" install --no-install-recommends "${missing[@]}" >/dev/null
  if [ -n "$(trap -p EXIT)" ]; then "${as_root[@]}" rm -f "$guard"; trap - EXIT; fi
}

require_rust() {
  if ! command -v cargo >/dev/null; then
    # rustup puts it there; a shell that was open before does not know.
    if [ -r "$HOME/.cargo/env" ]; then . "$HOME/.cargo/env"; fi
  fi
  local wanted have
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  if ! command -v cargo >/dev/null; then
    say "cargo is missing. Install Rust $wanted or newer from https://rustup.rs:"
    say "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal"
    exit 69
  fi
  have=$(rustc --version | cut -d' ' -f2)
  if [ "$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -1)" != "$wanted" ]; then
    say "Rust $have is too old, $wanted or newer is needed: rustup update stable"
    exit 69
  fi
}
