# DNS: two questions by UDP, one by TCP.
packages="dnsmasq-base bind9-dnsutils"
port=53
serve() {
    dnsmasq --keep-in-foreground --conf-file=/dev/null --port="$1" --listen-address=127.0.0.1 --bind-interfaces \
        --no-resolv --no-hosts --user=root --address=/corpus.example/192.0.2.7 &
    wait_udp "$1"
}
call() {
    dig @127.0.0.1 -p "$1" +tries=1 a.corpus.example A && dig @127.0.0.1 -p "$1" +tries=1 b.corpus.example AAAA \
        && dig @127.0.0.1 -p "$1" +tcp c.corpus.example A
}
