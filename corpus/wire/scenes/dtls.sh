# DTLS 1.2.
packages="openssl"
port=5684
prepare() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out certificate.pem \
        -subj /CN=corpus.example -addext subjectAltName=DNS:corpus.example -days 3650
}
serve() { openssl s_server -dtls1_2 -accept "127.0.0.1:$1" -cert certificate.pem -key key.pem < <(sleep 30) & wait_udp "$1"; }
call() { (sleep 1; echo blue; sleep 1) | timeout 10 openssl s_client -dtls1_2 -connect "127.0.0.1:$1" -servername corpus.example; }
