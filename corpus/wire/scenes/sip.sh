# SIP: a call of half a second by UDP, then by TCP.
packages="sip-tester"
port=5060
serve() {
    sipp -sn uas -i 127.0.0.1 -p "$1" -nostdin & sipp -sn uas -t t1 -i 127.0.0.1 -p "$1" -nostdin &
    wait_udp "$1" && wait_tcp "$1"
}
call() {
    sipp -sn uac "127.0.0.1:$1" -i 127.0.0.1 -p 5071 -m 1 -d 500 -nostdin -timeout 20 \
        && sipp -sn uac -t t1 "127.0.0.1:$1" -i 127.0.0.1 -p 5072 -m 1 -d 500 -nostdin -timeout 20
}
