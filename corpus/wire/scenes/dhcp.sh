# DHCP: an address is asked for and given.
packages="busybox udhcpd"
port=67
odd=no
interface=link0
serve() {
    touch leases
    printf 'start 192.0.2.100\nend 192.0.2.110\ninterface link0\nlease_file %s\npidfile %s\noption subnet 255.255.255.0\noption router 192.0.2.1\noption lease 600\n' \
        "$PWD/leases" "$PWD/pid" > udhcpd.conf
    busybox udhcpd -f udhcpd.conf & wait_udp "$1"
}
call() { far busybox udhcpc -i link0 -f -q -n -s /bin/true -x hostname:reader; }
