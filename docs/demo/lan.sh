#!/usr/bin/env bash
# A small home in network namespaces: a router with the bridge br-lan, five devices behind it, an
# internet in front of it, and traffic. bwmon counts on the bridge. Ctrl-C takes everything away.
#
#   cargo xtask build && sudo docs/demo/lan.sh
#
# Needs root, iproute2 and iperf3. Arguments go to `bwmon run`.
set -euo pipefail
cd "$(dirname "$0")/../.."

bwmon=$PWD/target/release/bwmon
[[ -x $bwmon ]] || { echo "no $bwmon: build it by \`cargo xtask build\`" >&2; exit 2; }
name=bwmon-demo-$$
work=$(mktemp --directory --tmpdir bwmon-demo.XXXXXX)
processes=()

clean_up() {
    kill "${processes[@]}" 2>/dev/null || true
    wait
    for namespace in $(ip netns list | awk '{ print $1 }' | grep "^$name-"); do
        ip netns delete "$namespace"
    done
    rm -r "$work"
}
trap clean_up EXIT
trap 'exit 0' INT TERM

# inside NAMESPACE COMMAND…: runs a command there.
inside() {
    local namespace=$name-$1
    shift
    ip netns exec "$namespace" "$@"
}

# start NAMESPACE COMMAND…: the same, in the background until the end.
start() {
    local namespace=$name-$1
    shift
    ip netns exec "$namespace" "$@" &
    processes+=($!)
}

make() {
    ip netns add "$name-$1"
    inside "$1" ip link set lo up
}

make internet
make router
ip -n "$name-router" link add wan type veth peer name eth0 netns "$name-internet"
ip -n "$name-router" link add br-lan type bridge
ip -n "$name-router" address add 198.51.100.2/24 dev wan
ip -n "$name-router" address add 2001:db8:f::2/64 dev wan nodad
ip -n "$name-router" address add 192.168.1.1/24 dev br-lan
ip -n "$name-router" address add fd00::1/64 dev br-lan nodad
ip -n "$name-router" link set wan up
ip -n "$name-router" link set br-lan up
inside router sysctl --quiet --write net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n "$name-internet" address add 198.51.100.1/24 dev eth0
ip -n "$name-internet" address add 2001:db8:f::1/64 dev eth0 nodad
ip -n "$name-internet" link set eth0 up
ip -n "$name-internet" route add default via 198.51.100.2
ip -n "$name-internet" route add default via 2001:db8:f::2

# device NUMBER: a device with the addresses 192.168.1.NUMBER and fd00::NUMBER.
device() {
    local number=$1 namespace=d$1
    make "$namespace"
    ip -n "$name-router" link add "port$number" type veth peer name eth0 netns "$name-$namespace"
    ip -n "$name-router" link set "port$number" master br-lan up
    ip -n "$name-$namespace" link set eth0 address "02:00:00:00:01:$number" up
    ip -n "$name-$namespace" address add "192.168.1.$number/24" dev eth0
    ip -n "$name-$namespace" address add "fd00::$number/64" dev eth0 nodad
    ip -n "$name-$namespace" route add default via 192.168.1.1
    ip -n "$name-$namespace" route add default via fd00::1
}

# traffic NUMBER PORT RATE ADDRESS OPTION…: what the device moves, in bits per second.
traffic() {
    local number=$1 port=$2 rate=$3 address=$4
    shift 4
    start internet iperf3 --server --port "$port" &>"$work/server-$port.log"
    sleep 0.2
    start "d$number" iperf3 --client "$address" --port "$port" --bitrate "$rate" --time 86400 \
        --length 8K "$@" &>"$work/client-$port.log"
}

for number in 20 21 22 23 57; do
    device "$number"
done

cat >"$work/registered_devices.json" <<'DEVICES'
{
  "unknown":           { "bandwidth_threshold": "1 GB" },
  "192.168.1.20":      { "name": "Laptop", "bandwidth_threshold": "20 GB" },
  "192.168.1.21":      { "name": "Smart TV", "bandwidth_threshold": "50 MB" },  # passed in a minute
  "192.168.1.22":      { "name": "Phone" },
  "02:00:00:00:01:23": { "name": "Backup server", "rate_threshold": "off" }
}
DEVICES
cat >"$work/bwmon.toml" <<CONFIG
interfaces = ["br-lan"]
state_dir = "state"

[http]
listen = "unix:$work/bwmon.sock"
CONFIG

start router unshare --uts sh -c 'hostname router && exec "$@"' sh \
    "$bwmon" run --config "$work/bwmon.toml" "$@"
traffic 20 5201 18M 2001:db8:f::1 --reverse
traffic 20 5202 600K 198.51.100.1
traffic 21 5203 6M 198.51.100.1 --reverse
traffic 22 5204 300K 198.51.100.1 --reverse
traffic 23 5205 4M 198.51.100.1
traffic 57 5206 1500K 198.51.100.1 --reverse

cat <<HINT

In another terminal:
    export BWMON_API=unix:$work/bwmon.sock
    $bwmon devices
    $bwmon status
    $bwmon alerts
Ctrl-C ends it.
HINT
wait
