# Telnet: options are agreed on, then a word and its echo.
packages="busybox telnet"
port=23
serve() {
    printf '#!/bin/sh\nread -r word\necho "the word was $word"\n' > answer && chmod +x answer
    busybox telnetd -F -b "127.0.0.1:$1" -l "$PWD/answer" & wait_tcp "$1"
}
call() { (sleep 1; echo blue; sleep 1) | telnet 127.0.0.1 "$1"; true; }
