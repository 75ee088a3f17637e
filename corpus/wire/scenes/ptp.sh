# PTP over UDP: one clock leads, the other measures; neither is set.
packages="linuxptp"
port=319
odd=no
interface=link0
serve() {
    printf '[global]\nfree_running 1\ntime_stamping software\nnetwork_transport UDPv4\nlogAnnounceInterval -1\nuds_address %s\n' "$PWD/one" > one.conf
    sed 's/one/two/' one.conf > two.conf
    ptp4l -f one.conf -i link0 --priority1 1 & wait_udp "$1"
}
call() { far timeout 6 ptp4l -f two.conf -i link0 -s -m; grep -q MASTER call.log || true; }
