# VXLAN, as the kernel makes it: two hosts on a network inside the network.
packages="iproute2 iputils-ping"
port=4789
interface=link0
tunnel() { echo "link add inner type vxlan id 420 local 192.0.2.$1 remote 192.0.2.$2 dstport $3 dev link0"; }
serve() {
    ip $(tunnel 1 2 "$1") && far ip $(tunnel 2 1 "$1") || return 1
    ip address add 198.51.100.1/24 dev inner && far ip address add 198.51.100.2/24 dev inner
    ip link set inner up && far ip link set inner up
}
call() { far ping -c 3 -i 0.2 198.51.100.1; }
