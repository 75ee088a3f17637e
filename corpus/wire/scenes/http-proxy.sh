# HTTP through a proxy: with a whole address in the first line, and with CONNECT.
packages="tinyproxy curl"
port=8888
filter="port $port_here"
serve() {
    mkdir -p www && echo hello > www/index.html
    python3 -m http.server -b 127.0.0.1 -d www 8000 &
    printf 'User root\nGroup root\nPort %s\nListen 127.0.0.1\nTimeout 10\nAllow 127.0.0.1\n' "$1" > tinyproxy.conf
    tinyproxy -d -c tinyproxy.conf & wait_tcp "$1" && wait_tcp 8000
}
call() { curl -s -x "127.0.0.1:$1" http://127.0.0.1:8000/ && curl -s -p -x "127.0.0.1:$1" http://127.0.0.1:8000/; }
