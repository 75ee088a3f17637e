# TFTP: a file of three blocks.
packages="tftpd-hpa curl"
port=69
serve() {
    mkdir -p root && seq 300 > root/numbers
    in.tftpd --listen --foreground --address "127.0.0.1:$1" --user root --secure "$PWD/root" & wait_udp "$1"
}
call() { curl -s "tftp://127.0.0.1:$1/numbers" | tail -n 1 | grep -qx 300; }
