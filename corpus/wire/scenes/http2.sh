# HTTP/2 in the clear, by prior knowledge.
packages="nghttp2-server nghttp2-client"
port=80
serve() {
    mkdir -p www && echo hello > www/index.html
    nghttpd -a 127.0.0.1 --no-tls -d "$PWD/www" "$1" & wait_tcp "$1"
}
call() { nghttp "http://127.0.0.1:$1/" | grep -q hello; }
