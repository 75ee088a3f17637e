# An HTTP client whose own port is 53: a source port changes nothing.
packages="nginx-light curl"
port=80
serve() {
    mkdir -p www && echo hello > www/index.html
    printf 'daemon off; user root; pid nginx.pid; error_log stderr; events {}\nhttp { access_log off; server { listen 127.0.0.1:%s; root %s; } }\n' \
        "$1" "$PWD/www" > nginx.conf
    nginx -p "$PWD" -c "$PWD/nginx.conf" & wait_tcp "$1"
}
call() { curl -s --local-port 53 "http://127.0.0.1:$1/"; }
