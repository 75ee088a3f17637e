# TLS on the port of SMTP: the client does not wait for a greeting.
packages="openssl"
port=25
odd=no
prepare() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out certificate.pem \
        -subj /CN=corpus.example -addext subjectAltName=DNS:corpus.example -days 3650
}
serve() { openssl s_server -accept "127.0.0.1:$1" -tls1_3 -cert certificate.pem -key key.pem -alpn http/1.1 -www & wait_tcp "$1"; }
call() { printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -connect "127.0.0.1:$1" -servername corpus.example -alpn http/1.1 -ign_eof; }
