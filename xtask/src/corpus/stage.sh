# Plays one scene in fresh namespaces and records it: $1 is the scene, $2 the port, $3 the capture, $4 what is recorded:
# the loopback interface (lo), or one end of a link (link0) whose other end is in a namespace that `far COMMAND` runs in.
set -eu
scene=$1 port_here=$2 capture=$3 interface=$4
hostname corpus.example
ip link set lo up
mount -t tmpfs none /run
mkdir -p /run/lock /run/netns
# Servers that are not root may have any port.
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
far() { ip netns exec far "$@"; }
if [ "$interface" = link0 ]; then
    ip netns add far
    ip link add name link0 type veth peer name link0 netns far
    ip link set link0 address 02:00:00:00:00:01
    far ip link set link0 address 02:00:00:00:00:02
    ip address add 192.0.2.1/24 dev link0
    ip address add 2001:db8::1/64 dev link0 nodad
    far ip address add 192.0.2.2/24 dev link0
    far ip address add 2001:db8::2/64 dev link0 nodad
    ip link set link0 up
    far ip link set lo up
    far ip link set link0 up
    ip route add default dev link0
    far ip route add default dev link0
    # Link-local addresses are usable from here on.
    for _ in $(seq 100); do
        ip -6 address show dev link0 tentative | grep -q . || far ip -6 address show dev link0 tentative | grep -q . || break
        sleep 0.05
    done
fi

# Waits until something listens: wait_tcp PORT, wait_udp PORT.
wait_for() {
    for _ in $(seq 300); do
        ss -Hln"$1" "sport = :$2" | grep -q . && return 0
        sleep 0.05
    done
    echo "nothing listens on $2 ($1)" >&2
    return 1
}
wait_tcp() { wait_for t "$1"; }
wait_udp() { wait_for u "$1"; }

# shellcheck source=/dev/null
. "$scene"
filter=${filter:-}
set +e
if type prepare >/dev/null 2>&1; then
    prepare "$port_here" >prepare.log 2>&1 || { echo "it cannot be prepared:" >&2; tail -n 15 prepare.log >&2; exit 1; }
fi

tcpdump -i "$interface" -s 0 -U --immediate-mode -Z root -w "$capture" ${filter:+"$filter"} 2>tcpdump.log &
recorder=$!
for _ in $(seq 200); do
    grep -q 'listening on' tcpdump.log && break
    sleep 0.05
done

serve "$port_here" >serve.log 2>&1 && call "$port_here" >call.log 2>&1
status=$?
# The last packets are still on their way to the recorder.
sleep 0.5
kill -INT "$recorder"
wait "$recorder"
if [ "$status" -ne 0 ]; then
    echo "the client ended with $status:" >&2
    tail -n 15 serve.log call.log >&2
fi
exit "$status"
