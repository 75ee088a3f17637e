# Telnet: options are agreed on, then a word and its echo.
packages="inetutils-telnetd socat telnet"
port=23
serve() {
    printf '#!/bin/sh\nread -r word\necho "the word was $word"\n' > answer && chmod +x answer
    socat "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork" "EXEC:/usr/sbin/telnetd -E $PWD/answer,nofork" & wait_tcp "$1"
}
call() { (sleep 1; echo blue; sleep 1) | telnet 127.0.0.1 "$1"; true; }
