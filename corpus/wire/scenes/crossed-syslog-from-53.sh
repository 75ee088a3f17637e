# Log messages whose sender has port 53.
packages="rsyslog socat"
port=514
serve() {
    printf 'module(load="imudp")\ninput(type="imudp" address="127.0.0.1" port="%s")\n*.* %s\n' "$1" "$PWD/messages" > rsyslog.conf
    rsyslogd -n -f "$PWD/rsyslog.conf" -i NONE & wait_udp "$1"
}
call() {
    for colour in blue green red; do
        echo "<13>Nov 26 12:00:00 corpus.example corpus: the colour is $colour" | socat -u STDIN "UDP:127.0.0.1:$1,bind=127.0.0.1:53"
    done
}
