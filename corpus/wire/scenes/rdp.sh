# RDP: a client connects and turns to TLS.
packages="xrdp freerdp2-x11 openssl"
port=3389
filter="port $port_here"
prepare() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -subj /CN=corpus.example -days 3650
    sed -e "s/^port=3389/port=tcp:\/\/127.0.0.1:$1/" -e "s#^certificate=.*#certificate=$PWD/certificate.pem#" \
        -e "s#^key_file=.*#key_file=$PWD/key.pem#" -e 's/^fork=.*/fork=false/' /etc/xrdp/xrdp.ini > xrdp.ini
}
serve() { xrdp --nodaemon --config "$PWD/xrdp.ini" & wait_tcp "$1"; }
call() { timeout 10 xvfb-run -a xfreerdp "/v:127.0.0.1:$1" /cert:ignore /u:reader /p:made-up /size:64x64 +auth-only; true; }
