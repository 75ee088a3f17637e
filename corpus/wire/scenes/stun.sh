# STUN and TURN: an address is asked for, then a relay that carries a few messages.
packages="coturn"
port=3478
filter="port $port_here"
serve() {
    turnserver -n -L 127.0.0.1 -p "$1" --no-tls --no-dtls --no-cli --lt-cred-mech --user=reader:made-up \
        --realm=corpus.example --allow-loopback-peers --pidfile "$PWD/pid" --log-file stdout & wait_udp "$1"
}
call() {
    turnutils_stunclient -p "$1" 127.0.0.1 \
        && turnutils_uclient -u reader -w made-up -p "$1" -y -n 2 -m 1 -c 127.0.0.1
}
