# OpenVPN: a tunnel is agreed on, and carries nothing.
packages="openvpn openssl"
port=1194
prepare() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=corpus -days 3650
    for name in server client; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.request -subj /CN=$name
        openssl x509 -req -in $name.request -CA ca.pem -CAkey ca.key -CAcreateserial -out $name.pem -days 3650
    done
}
serve() {
    openvpn --dev null --proto udp --local 127.0.0.1 --port "$1" --tls-server --ca ca.pem --cert server.pem --key server.key \
        --dh none --ping 1 & wait_udp "$1"
}
call() {
    timeout 5 openvpn --dev null --proto udp --remote 127.0.0.1 "$1" --nobind --tls-client --ca ca.pem --cert client.pem \
        --key client.key --ping 1
    grep -q 'Initialization Sequence Completed' call.log
}
