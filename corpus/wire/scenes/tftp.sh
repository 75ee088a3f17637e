# TFTP: a file of three blocks. Its bytes come from a port of their own.
packages="atftpd curl"
port=69
serve() {
    mkdir -p root && chmod 755 root && seq 300 > root/numbers
    atftpd --daemon --no-fork --logfile - --user root.root --bind-address 127.0.0.1 --port "$1" "$PWD/root" & wait_udp "$1"
}
call() { curl -s "tftp://127.0.0.1:$1/numbers" | tail -n 1 | grep -qx 300; }
