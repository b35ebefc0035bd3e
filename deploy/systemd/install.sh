#!/bin/sh
# Puts the environment files of this host's daemons into /etc/wherry, and the unit that runs them into systemd:
#   HOSTS='host-1=192.0.2.11 host-2=192.0.2.12 host-3=192.0.2.13' sh deploy/systemd/install.sh host-2 store kubelet proxy
# HOSTS are all hosts with a store. Files that are there already are kept: they may have been changed by hand.
# On a host without a store ADDRESS is enough, and JOINED=1 says that "wherry join --out" has let it in:
#   JOINED=1 ADDRESS=192.0.2.14 sh deploy/systemd/install.sh host-4 kubelet proxy
set -eu

ETC=${ETC:-/etc/wherry}
STATE=${STATE:-/var/lib/wherry}
UNITS=${UNITS:-/etc/systemd/system}

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

[ $# -ge 2 ] || fail 'give the name of this host and its daemons'
[ -n "${HOSTS:-}${ADDRESS:-}" ] || fail 'set HOSTS to name=address of each host with a store'
name=$1
shift

address=${ADDRESS:-}
members=
store_urls=
for host in ${HOSTS:-}; do
  case $host in
    ?*=?*) ;;
    *) fail "HOSTS has \"$host\", which is no name=address" ;;
  esac
  if [ "${host%%=*}" = "$name" ]; then address=${host#*=}; fi
  members=${members:+$members,}${host%%=*}=https://${host#*=}:2380
  store_urls=${store_urls:+$store_urls,}https://${host#*=}:2379
done
[ -n "$address" ] || fail "HOSTS does not have $name: set its ADDRESS"

here=$(cd "$(dirname "$0")" && pwd -P)
mkdir -p "$ETC" "$STATE" "$UNITS"
chmod 0700 "$ETC" "$STATE"
for daemon in "$@"; do
  template=$here/env/$daemon.env
  [ -f "$template" ] || fail "there is no daemon $daemon"
  if [ -n "${JOINED:-}" ] && [ -f "$here/env/joined/$daemon.env" ]; then template=$here/env/joined/$daemon.env; fi
  if [ -e "$ETC/$daemon.env" ]; then
    echo "$ETC/$daemon.env: kept"
    continue
  fi
  sed -e "s|@NAME@|$name|g" -e "s|@ADDRESS@|$address|g" -e "s|@MEMBERS@|$members|g" \
    -e "s|@STORE_URLS@|$store_urls|g" -e "s|@ETC@|$ETC|g" -e "s|@STATE@|$STATE|g" \
    "$template" >"$ETC/$daemon.env.new"
  mv "$ETC/$daemon.env.new" "$ETC/$daemon.env"
  echo "$ETC/$daemon.env: written"
done
cp "$here/wherry@.service" "$UNITS/"
