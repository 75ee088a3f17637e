# SOCKS 5 and 4: a page is fetched through a proxy.
packages="dante-server curl"
port=1080
filter="port $port_here"
serve() {
    mkdir -p www && echo hello > www/index.html
    python3 -m http.server -b 127.0.0.1 -d www 8000 &
    printf 'logoutput: stderr\ninternal: lo port = %s\nexternal: lo\nuser.privileged: root\nuser.unprivileged: root\nclientmethod: none\nsocksmethod: none\nclient pass { from: 0/0 to: 0/0 }\nsocks pass { from: 0/0 to: 0/0 }\n' \
        "$1" > danted.conf
    danted -f danted.conf & wait_tcp "$1" && wait_tcp 8000
}
call() { curl -s --socks5 "127.0.0.1:$1" http://127.0.0.1:8000/ && curl -s --socks4 "127.0.0.1:$1" http://127.0.0.1:8000/; }
