# TLS 1.3 with a name and a protocol.
packages="openssl"
port=443
prepare() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out certificate.pem \
        -subj /CN=corpus.example -addext subjectAltName=DNS:corpus.example -days 3650
}
serve() { openssl s_server -accept "127.0.0.1:$1" -tls1_3 -cert certificate.pem -key key.pem -alpn http/1.1 -www & wait_tcp "$1"; }
call() { printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -connect "127.0.0.1:$1" -servername corpus.example -alpn http/1.1 -ign_eof; }
