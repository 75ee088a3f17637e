# DHCPv6: an address is asked for and given.
packages="dnsmasq-base isc-dhcp-client"
port=547
odd=no
interface=link0
serve() {
    dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=link0 --user=root --leasefile-ro \
        --dhcp-range=2001:db8::100,2001:db8::1ff,64,600 & wait_udp "$1"
}
call() { far timeout 20 dhclient -6 -1 -v -sf /bin/true -lf "$PWD/leases" -pf "$PWD/pid" link0; grep -q 'Reply' call.log; }
