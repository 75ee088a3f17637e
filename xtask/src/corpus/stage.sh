# Plays one scene in fresh namespaces and records its loopback: $1 is the scene, $2 the port, $3 the capture.
set -eu
scene=$1 port_here=$2 capture=$3
hostname corpus.example
ip link set lo up
mount -t tmpfs none /run
mkdir -p /run/lock

# Waits until something listens: wait_tcp PORT, wait_udp PORT.
wait_for() {
    for _ in $(seq 200); do
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
type prepare >/dev/null 2>&1 && prepare "$port_here" >prepare.log 2>&1

tcpdump -i lo -s 0 -U --immediate-mode -Z root -w "$capture" 2>tcpdump.log &
recorder=$!
for _ in $(seq 200); do
    grep -q 'listening on' tcpdump.log && break
    sleep 0.05
done

set +e
serve "$port_here" >serve.log 2>&1
call "$port_here" >call.log 2>&1
status=$?
# The last packets are still on their way to the recorder.
sleep 0.5
kill -INT "$recorder"
wait "$recorder"
if [ "$status" -ne 0 ]; then
    echo "the client ended with $status:" >&2
    tail -n 15 prepare.log serve.log call.log >&2
fi
exit "$status"
